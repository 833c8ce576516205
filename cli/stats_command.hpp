#pragma once
// The verb `stats`: what a folder of pictures holds, told from the headers of the files.

#include <string>
#include <vector>

namespace framefleet::cli {

/// `words` is the whole command line. The answer is the exit code.
int stats_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
