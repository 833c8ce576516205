#pragma once
// The verb `framefleet dead` and its verbs: list, show, export, revive and purge the failed tasks
// whose pictures the store keeps.

#include <string>
#include <vector>

namespace framefleet::cli {

/// `words` is the whole command line, from the program's name on. Answers the exit code.
int dead_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
