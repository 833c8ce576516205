#pragma once
// The verb `framefleet health`: asks one process's /readyz, for health checks of containers and
// service managers on machines without an HTTP client.

#include <string>
#include <vector>

namespace framefleet::cli {

/// `words` is the whole command line, from the program's name on. Answers the exit code: 0 ready,
/// 69 not ready or not there.
int health_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
