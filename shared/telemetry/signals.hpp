#pragma once
// Signals as events of the loop, instead of handlers that interrupt it.
//
//   const Signals signals = Signals::block();   // before the first thread
//   poll(signals.fd()) … while (auto signal = signals.next()) request.hear(*signal);

#include <cstdint>
#include <optional>

namespace framefleet::telemetry {

/// Blocks SIGINT, SIGTERM, SIGUSR1 and SIGHUP for this thread and those it will start, and ignores
/// SIGPIPE. A child process inherits both, and undoes what it wants to die of. Threads: one.
class Signals {
 public:
  /// Throws std::system_error where the kernel gives no signalfd.
  static Signals block();
  ~Signals();
  Signals(Signals&& other) noexcept;
  Signals& operator=(Signals&&) = delete;

  /// Readable while a signal waits.
  int fd() const { return fd_; }
  /// The next waiting signal; does not block.
  std::optional<int> next() const;

 private:
  explicit Signals(int fd) : fd_(fd) {}

  int fd_;
};

/// What the signals heard so far ask for: the first SIGTERM, SIGINT or SIGUSR1 for a drain, the
/// second SIGTERM or SIGINT to stop now. So a drain begun by SIGUSR1 outlives the SIGTERM of a
/// service manager.
class StopRequest {
 public:
  enum class Wish : std::uint8_t { none, drain, now };

  /// Other signals change nothing.
  Wish hear(int signal);
  Wish wish() const { return wish_; }

 private:
  Wish wish_{Wish::none};
  bool asked_to_stop_{false};  ///< By a SIGTERM or SIGINT.
};

}  // namespace framefleet::telemetry
