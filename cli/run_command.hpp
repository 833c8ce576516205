#pragma once
// The verb `framefleet run`: start a fleet on this machine, run sources through it, report.

#include <string>
#include <vector>

namespace framefleet::cli {

/// `words` is the whole command line, from the program's name on. Answers the exit code.
int run_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
