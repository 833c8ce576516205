#pragma once
// One process of a fleet as a thread of the test: its shell, with the log, signals, health and HTTP
// window that run_program would give it. A signal sent to a thread reaches that thread's signalfd
// alone, so every member can be stopped by itself.
// Threads: everything here belongs to the test's thread, but the log, which any thread writes.

#include "shared/base/result.hpp"
#include "shared/telemetry/program.hpp"

#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace framefleet::test {

class Member {
 public:
  /// Opens a shell and runs it: what a main gives to run_program.
  using Body = std::function<Result<int, Error>(telemetry::Program&)>;

  Member(std::string process, Body body);
  /// Stops it at once if it still runs.
  ~Member();
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  /// SIGTERM.
  void drain();
  /// SIGTERM and SIGINT: it leaves now.
  void stop();
  bool running() const;
  /// The exit code once it has ended; -1 when it has not after half a minute.
  int exit_code();
  /// drain(), exit_code().
  int drained();

  /// Waits until the log has a line with this text; false after half a minute.
  bool says(const std::string& text);
  /// Asks again after every line of its log, and now and then; false after half a minute.
  bool eventually(const std::function<bool()>& holds);
  std::string log() const;

  /// Status line, headers and body of its HTTP window.
  std::string get(const std::string& path) const;
  /// The sum of a metric's samples whose line begins with `sample`; 0 when there is none.
  double metric(const std::string& sample) const;

 private:
  void run(const Body& body);

  std::string process_;
  mutable std::mutex mutex_;
  std::condition_variable written_;
  std::vector<std::string> lines_;
  std::promise<int> port_;
  std::promise<int> ended_;
  std::future<int> exit_code_;
  int http_port_{0};
  std::thread thread_;
};

}  // namespace framefleet::test
