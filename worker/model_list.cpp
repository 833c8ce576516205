#include "worker/model_list.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace framefleet::worker {
namespace {

nlohmann::ordered_json said_by(const ModelFile& file) {
  const Model& model = file.model;
  const std::string structure = model.network ? model.network->structure_path : std::string();
  return {{"name", model.name},
          {"detector", model.detector},
          {"file", model.path},
          {"sha256", file.sha256},
          {"source", file.source},
          {"structure", structure},
          {"structure_sha256", file.structure_sha256},
          {"structure_source", file.structure_source},
          {"licence", file.licence}};
}

std::string line_of(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string model_line(const ModelFile& file) {
  auto json = said_by(file);
  const auto model = load_model(file);
  const bool missing = !model && model.error().exit_code == exit_code::kNoInput;
  json["state"] = model ? "here" : missing ? "missing" : "refused";
  json["text"] = model ? "" : model.error().text;
  return line_of(json);
}

std::string model_line(const TriedModel& tried) {
  auto json = said_by(tried.file);
  json["state"] = tried.trial ? "good" : "refused";
  json["text"] = tried.trial ? "" : tried.trial.error().text;
  if (tried.trial) {
    json["layout"] = tried.trial->layout;
    json["backend"] = tried.trial->backend;
  }
  return line_of(json);
}

Result<int, Error> list_models(const std::filesystem::path& folder, const TrialOptions* trial) {
  if (folder.empty()) {
    return fail(Error{"models: name the folder of model files (--models)", exit_code::kUsage});
  }
  const auto files = read_model_files(folder);
  if (!files) return fail(files.error());
  if (trial == nullptr) {
    for (const auto& file : *files) fmt::print("{}\n", model_line(file));
    return exit_code::kOk;
  }
  const auto tried = try_models(*files, *trial);
  for (const auto& each : tried) fmt::print("{}\n", model_line(each));
  return refused_ones(tried).empty() ? exit_code::kOk : exit_code::kConfig;
}

}  // namespace framefleet::worker
