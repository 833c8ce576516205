#pragma once
// The worker's end of its zygote: starts it, asks it for children, and reaps it. One thread; the
// thread that launches must outlive it (the zygote dies with that thread).

#include "worker/pool/child_wire.hpp"

#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/processes/packet.hpp"

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

namespace framefleet::worker {

class ZygoteLink {
 public:
  /// It kills its children and reaps them; that takes milliseconds.
  static constexpr Duration kEndMax = std::chrono::seconds{10};

  /// Does not wait for it to be warm. Errors: the system cannot start `program`.
  static Result<ZygoteLink, Error> launch(const std::string& program, Setup setup,
                                          const std::vector<Model>& models);
  /// Hangs up, which ends the zygote and its children, and waits for that; one that has said
  /// nothing yet, or takes longer than kEndMax, is killed.
  ~ZygoteLink();
  ZygoteLink(ZygoteLink&& other) noexcept;
  ZygoteLink& operator=(ZygoteLink&&) = delete;

  /// Readable when hear() has something.
  int fd() const { return control_.get(); }
  /// `link` and `answers` are the child's: the caller may close its own copies after it. False: the
  /// zygote is gone.
  [[nodiscard]] bool bear(std::uint64_t serial, int link, int answers);

  struct Word {
    FromZygote message;
    FileDescriptor pidfd;  ///< Of a Born.
  };
  /// It has said something: it is warm.
  bool heard_of() const { return heard_of_; }
  /// As good as that: a child of it has said something, and is to be reaped by it.
  void note_warm() { heard_of_ = true; }
  /// Without a chance to end its children, which end with it.
  void kill() const;

  /// Never waits. Heard::closed: it is gone, or not to be understood.
  Heard hear(std::optional<Word>& out);

 private:
  ZygoteLink(pid_t pid, FileDescriptor control) : pid_(pid), control_(std::move(control)) {}

  pid_t pid_;  ///< 0 once moved from.
  bool heard_of_{false};
  FileDescriptor control_;
  Packet packet_;
};

}  // namespace framefleet::worker
