#pragma once
// The command lines of a run's children, and where their programs are. Pure but for locate().

#include "cli/child_process.hpp"
#include "cli/run_options.hpp"
#include "cli/supervisor.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace framefleet::cli {

/// Where this program lies: its siblings are looked for there first.
std::filesystem::path own_folder();

/// The program of that name in `folder`, or the bare name, which is looked up in PATH.
std::string locate(const std::filesystem::path& folder, const std::string& name);

struct FleetEndpoints {
  std::string fleet;  ///< What the broker binds and the others connect to.
  std::string
      operators;  ///< Where it obeys operators: an ipc address, `fleet` itself if it is one.
};

class FleetCommands {
 public:
  /// `state` is OUT/.framefleet.
  FleetCommands(std::filesystem::path programs, FleetEndpoints endpoints, const RunOptions& options,
                std::filesystem::path state);

  /// Answers at once whether the detectors of this run exist and take their options.
  Command check_detectors() const;
  Command of(const ChildName& child) const;

 private:
  Command worker(std::vector<std::string> arguments) const;

  std::filesystem::path programs_;
  FleetEndpoints endpoints_;
  RunOptions options_;
  std::filesystem::path state_;
};

}  // namespace framefleet::cli
