#pragma once
// `framefleet models list|check|fetch`: the folder of model files, from the outside. What a file
// means and whether a model works is asked of framefleet-worker; only fetch reaches for the
// network, and only when a person asks for it.

#include <string>
#include <vector>

namespace framefleet::cli {

/// `words`: program, "models", list, check or fetch, and options. The exit code: 0; 3 some models
/// are missing, bad, or could not be fetched; 64 usage; 66 no such folder or model; 78 a model file
/// that cannot be understood.
int models_command(const std::vector<std::string>& words);

}  // namespace framefleet::cli
