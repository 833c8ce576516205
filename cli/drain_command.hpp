#pragma once
// The verb `framefleet drain`: a worker, or the broker itself, finishes what it has and leaves.

#include <string>
#include <vector>

namespace framefleet::cli {

/// `words` is the whole command line, from the program's name on. Answers the exit code.
int drain_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
