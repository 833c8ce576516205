#pragma once
// The verb `export`: the detections of a job, in files of known formats.

#include <string>
#include <vector>

namespace framefleet::cli {

/// `words` is the whole command line. The answer is the exit code.
int export_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
