#pragma once
// The processes of one run that have a cue, from its other end: most are this program again, each
// with its order. Threads: one. Errors: a part that ends early or is silent too long, with the end
// of its log.

#include "cli/child_process.hpp"

#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

#include <filesystem>
#include <string>

#include "bench/fleet/order.hpp"
#include "bench/fleet/report.hpp"

namespace framefleet::bench {

class CastMember {
 public:
  static Result<CastMember, Error> start(const Order& order, const std::filesystem::path& log);
  /// Another program that takes cues. `part`: as errors say it.
  static Result<CastMember, Error> start(const cli::Command& command, const std::string& part,
                                         const std::filesystem::path& log);

  Result<void, Error> until_ready();
  void go();
  Result<void, Error> until_done(Duration patience);
  /// Tells it to end and takes its report.
  Result<Report, Error> end();

  pid_t pid() const { return process_.pid(); }
  const std::string& part() const { return part_; }
  cli::ChildProcess& process() { return process_; }

 private:
  CastMember(std::string part, std::filesystem::path log, FileDescriptor cue,
             cli::ChildProcess process)
      : part_(std::move(part)),
        log_(std::move(log)),
        cue_(std::move(cue)),
        process_(std::move(process)) {}
  Result<std::string, Error> heard(Duration patience);

  std::string part_;
  std::filesystem::path log_;
  FileDescriptor cue_;
  cli::ChildProcess process_;
};

/// Waits so long until a process has ended, with 0. `who`: as errors say it.
Result<void, Error> until_left(cli::ChildProcess& process, const std::string& who,
                               const std::filesystem::path& log, Duration patience);

/// "…: what the log says last"
Error with_log(std::string text, const std::filesystem::path& log);

}  // namespace framefleet::bench
