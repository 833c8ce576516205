#include "worker/models.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace framefleet::worker {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kExtension = ".toml";

Result<std::vector<fs::path>, Error> files_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == kExtension) files.push_back(entry->path());
  }
  if (error) {
    return fail(Error{fmt::format("models: {}: {}; name a folder of model files, NAME.toml",
                                  folder.string(), error.message()),
                      exit_code::kNoInput});
  }
  if (files.size() > kModelsMax) {
    return fail(Error{fmt::format("models: {} has {} model files; {} are allowed", folder.string(),
                                  files.size(), kModelsMax),
                      exit_code::kConfig});
  }
  std::sort(files.begin(), files.end());
  return files;
}

TriedModel try_model_of(const ModelFile& file, const std::vector<Model>& beside,
                        const TrialOptions& options) {
  TriedModel tried{file, file.model, {}};
  auto model = load_model(file);
  if (!model) {
    tried.trial = fail(std::move(model.error()));
    return tried;
  }
  tried.model = std::move(*model);
  tried.trial = try_apart(tried.model, beside, options);
  if (tried.trial) tried.model.gallery = tried.trial->gallery;
  if (!tried.trial) {
    auto& text = tried.trial.error().text;
    text = fmt::format("{}: {}", file.toml.string(), text);
  }
  return tried;
}

}  // namespace

Result<std::vector<ModelFile>, Error> read_model_files(const fs::path& folder) {
  if (folder.empty()) return {};
  const auto tomls = files_of(folder);
  if (!tomls) return fail(tomls.error());
  std::vector<ModelFile> files;
  for (const auto& toml : *tomls) {
    auto file = read_model_file(toml);
    if (!file) return fail(file.error());
    files.push_back(std::move(*file));
  }
  return files;
}

std::vector<TriedModel> try_models(const std::vector<ModelFile>& files,
                                   const TrialOptions& options) {
  std::vector<TriedModel> tried;
  std::vector<Model> faces;  // which a gallery needs, so galleries come last
  for (const bool with_gallery : {false, true}) {
    for (const auto& file : files) {
      if ((file.model.detector == "recognise") != with_gallery) continue;
      tried.push_back(try_model_of(file, with_gallery ? faces : std::vector<Model>{}, options));
      const TriedModel& latest = tried.back();
      if (latest.trial && latest.model.detector == "faces") faces.push_back(latest.model);
    }
  }
  std::sort(tried.begin(), tried.end(),
            [](const TriedModel& a, const TriedModel& b) { return a.file.toml < b.file.toml; });
  return tried;
}

std::vector<Model> good_ones(const std::vector<TriedModel>& tried) {
  std::vector<Model> models;
  for (const auto& each : tried) {
    if (each.trial) models.push_back(each.model);
  }
  return models;
}

Result<void, Error> check_not_refused(const std::vector<RefusedModel>& refused,
                                      std::string_view detector) {
  const auto found = std::find_if(refused.begin(), refused.end(), [&](const RefusedModel& each) {
    return each.detector == detector;
  });
  return found == refused.end() ? Result<void, Error>{} : fail(found->error);
}

std::vector<RefusedModel> refused_ones(const std::vector<TriedModel>& tried) {
  std::vector<RefusedModel> refused;
  for (const auto& each : tried) {
    if (!each.trial) {
      refused.push_back({each.model.name, each.model.detector, each.trial.error()});
    }
  }
  return refused;
}

}  // namespace framefleet::worker
