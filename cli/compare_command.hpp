#pragma once
// The verb `compare`: one process in a plain loop against a fleet, on this machine.

#include <string>
#include <vector>

namespace framefleet::cli {

/// `words` is the whole command line. The answer is the exit code.
int compare_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
