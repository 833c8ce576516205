#pragma once
// What a folder of models holds, one JSON object a line, for `framefleet models`: what each file
// says of itself, and with a trial what came of it.

#include "worker/models.hpp"

#include "shared/base/result.hpp"

#include <filesystem>
#include <string>

namespace framefleet::worker {

/// {"name","detector","file","sha256","source","structure","structure_sha256","structure_source",
/// "licence","state","text"}; state is "missing", "here", "good" or "refused". "layout" and
/// "backend" stand in those that are good.
std::string model_line(const ModelFile& file);
std::string model_line(const TriedModel& tried);

/// Prints the folder's. With a trial 78 where a model is refused, else 0. Errors: as
/// read_model_files; 64 there is no folder to list.
Result<int, Error> list_models(const std::filesystem::path& folder, const TrialOptions* trial);

}  // namespace framefleet::worker
