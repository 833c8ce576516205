#pragma once
// The verb `detect`: pictures looked at on the spot, without a fleet.

#include <string>
#include <vector>

namespace framefleet::cli {

/// `words` is the whole command line. The answer is the exit code.
int detect_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
