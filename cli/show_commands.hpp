#pragma once
// The verbs `framefleet status | workers | sources | jobs`: what the broker knows, as a table for
// people or as its own JSON document, once or again and again.

#include <string>
#include <vector>

namespace framefleet::cli {

/// `words` is the whole command line, from the program's name on. Each answers the exit code.
int status_command(const std::vector<std::string>& words);
int workers_command(const std::vector<std::string>& words);
int sources_command(const std::vector<std::string>& words);
int jobs_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
