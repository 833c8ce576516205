#pragma once
// What a producer tells about its progress: NDJSON lines on a descriptor (docs/OPERATIONS.md,
// "Progress"), and a line in the log now and then.
// Threads: the loop's, which never waits for a reader: one that is slow misses `progress` lines,
// and `task_failed` lines once 1 MiB waits for it; end() alone gives it a second. Errors: a reader
// that is gone ends the telling, not the work.

#include "producer/core/submission.hpp"

#include "shared/telemetry/log.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace framefleet::producer {

/// Whether somebody should look at a task that ended so. A live frame that came too late for the
/// workers was meant to be left out.
bool is_fault(Status status, TaskClass task_class);

class Progress {
 public:
  /// `fd`: -1 tells the log alone. `began_at`: what elapsed_s counts from.
  Progress(int fd, telemetry::Logger& log, Time began_at);

  void plan(const std::string& job, std::optional<std::uint64_t> pictures, std::uint64_t skipped);
  /// Told at most five times a second; `pictures`: in all, where known.
  void counts(const SubmissionStats& stats, std::optional<std::uint64_t> pictures, Time now);
  void task_failed(const TaskEnded& ended, const std::string& origin);
  void end(const SubmissionStats& stats, std::optional<std::uint64_t> pictures, bool interrupted,
           Time now);
  /// When counts() has something to tell next.
  Time next_at() const { return next_at_; }

 private:
  enum class Worth : std::uint8_t { passing, lasting, last };
  void write(const std::string& line, Worth worth);
  void flush(Duration patience);

  int fd_;
  telemetry::Logger& log_;
  Time began_at_;
  Time next_at_{};
  Time log_at_{};
  std::string pending_;  // told, and not yet taken by the reader
  bool dropped_{false};  // the log knows that the reader is too slow
};

}  // namespace framefleet::producer
