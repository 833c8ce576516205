#pragma once
// The verbs `framefleet pause` and `framefleet resume`: nothing is handed to workers, of one source
// or of all, until it is again.

#include <string>
#include <vector>

namespace framefleet::cli {

/// `words` is the whole command line, from the program's name on. Each answers the exit code.
int pause_command(const std::vector<std::string>& words);
int resume_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
