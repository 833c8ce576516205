#pragma once
// The verb `framefleet journal` and its verbs: check, salvage, backup and stats of the folder that
// a broker keeps its tasks in.

#include <string>
#include <vector>

namespace framefleet::cli {

/// `words` is the whole command line, from the program's name on. Answers the exit code.
int journal_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
