#pragma once
// framefleet keys: who may connect to a broker, and as what: new, list, allow, revoke, rotate.
// Edits files; no broker is asked, and one that runs sees the change at once.

#include <string>
#include <vector>

namespace framefleet::cli {

int keys_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
