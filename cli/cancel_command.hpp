#pragma once
// The verb `framefleet cancel`: tasks end as `cancelled`, a whole job of them or some by their ids.

#include <string>
#include <vector>

namespace framefleet::cli {

/// `words` is the whole command line, from the program's name on. Answers the exit code.
int cancel_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
