#pragma once
// `framefleet autoscale`: workers on this machine, as many as a running broker needs.

#include <string>
#include <vector>

namespace framefleet::cli {

/// `words`: the whole command line. Answers the exit code.
int autoscale_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
