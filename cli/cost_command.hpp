#pragma once
// The verb `framefleet cost`: what pictures cost on this machine, and how many cameras that is. It
// runs them through a fleet of real workers, whose store it throws away.

#include <string>
#include <vector>

namespace framefleet::cli {

/// `words` is the whole command line, from the program's name on. Answers the exit code.
int cost_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
