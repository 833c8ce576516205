#pragma once
// The running child processes of a Supervisor, by the names it gives them. Threads: one, as
// ChildProcess.

#include "cli/child_process.hpp"
#include "cli/supervisor.hpp"

#include "shared/base/result.hpp"

#include <vector>

namespace framefleet::cli {

class Children {
 public:
  struct Ended {
    ChildName name;
    ExitStatus status;
  };

  /// Errors: as ChildProcess::spawn.
  Result<void, Error> start(const ChildName& name, const Command& command, const Streams& streams);
  /// Goes nowhere where no child of this name runs.
  void signal(const ChildName& name, int number);
  /// Adds their descriptors: one is readable when its child has ended.
  void add_ends(std::vector<int>& fds) const;
  /// Those that have ended since the last call, in the order of their starts.
  std::vector<Ended> reap();

 private:
  struct Running {
    ChildName name;
    ChildProcess process;
  };

  std::vector<Running> running_;
};

}  // namespace framefleet::cli
