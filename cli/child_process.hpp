#pragma once
// One process that this program started: its end is a readable descriptor, its stderr a log file.
//
// The child leads a process group of its own (Ctrl-C on the terminal reaches this program alone),
// gets SIGKILL from the kernel when this process dies in any way, and inherits nothing but stdin
// (if asked for), its log, the progress pipe, and the environment without FRAMEFLEET_CONFIG: that
// file speaks of this program's command, and the child would refuse its keys. Destroying a
// ChildProcess kills and reaps what still runs. Threads: one, and it must outlive the child (the
// kernel ties the death signal to it).

#include "cli/supervisor.hpp"

#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::cli {

/// A program by path, or by name if PATH is to be searched; arguments without the program itself.
struct Command {
  std::string program;
  std::vector<std::string> arguments;
};

struct Streams {
  std::filesystem::path
      log;                 ///< Appended to by stdout and stderr; its folder exists. "": our stderr.
  bool keep_stdin{false};  ///< Else stdin is /dev/null.
  int progress_fd{-1};     ///< Becomes fd 3 of the child; -1: none. Stays the caller's.
  int stdout_fd{-1};       ///< Becomes its stdout; -1: that is the log. Stays the caller's.
};

class ChildProcess {
 public:
  /// Errors: 70 where the program cannot be executed or the system has no room for it.
  static Result<ChildProcess, Error> spawn(const Command& command, const Streams& streams);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  /// Readable once the child has ended.
  int end_fd() const { return pidfd_.get(); }
  pid_t pid() const { return pid_; }

  /// Sends a signal; to a child that has ended it goes nowhere.
  void signal(int number);
  /// How it ended, once; nothing while it runs.
  std::optional<ExitStatus> reap();

 private:
  ChildProcess(pid_t pid, FileDescriptor pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid_;
  FileDescriptor pidfd_;  ///< Closed once reaped or moved from.
};

}  // namespace framefleet::cli
