#include "worker/models.hpp"

#include "shared/config/load.hpp"
#include "shared/config/option_set.hpp"
#include "shared/security/sha256.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace framefleet::worker {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kExtension = ".toml";
constexpr std::uintmax_t kFileBytesMax = std::uintmax_t{1} << 30U;

tl::unexpected<Error> wrong(std::string text) {
  return fail(Error{std::move(text), exit_code::kConfig});
}

tl::unexpected<Error> not_there(std::string text) {
  return fail(Error{std::move(text), exit_code::kNoInput});
}

/// The option of a kind that takes a model; null where none does.
const OptionSpec* model_option(const DetectorKind& kind) {
  const auto found =
      std::find_if(kind.options.begin(), kind.options.end(),
                   [](const OptionSpec& option) { return option.type == OptionType::model; });
  return found == kind.options.end() ? nullptr : &*found;
}

std::vector<std::string> detectors_with_models() {
  std::vector<std::string> names;
  for (const auto& kind : detector_kinds()) {
    if (model_option(kind) != nullptr) names.emplace_back(kind.name);
  }
  return names;
}

/// What a model file can say.
struct ModelFile {
  std::string detector{detectors_with_models().front()};
  fs::path file;
  std::string sha256;
  DecodeScale decode_scale{DecodeScale::full};
};

void describe(config::OptionSet& set, ModelFile& model) {
  std::vector<std::pair<std::string, DecodeScale>> scales;
  for (const auto scale :
       {DecodeScale::full, DecodeScale::half, DecodeScale::quarter, DecodeScale::eighth}) {
    scales.emplace_back(to_string(scale), scale);
  }
  set.section("model")
      .add("detector", model.detector, {.choices = detectors_with_models()})
      .add("file", model.file, {})
      .add("sha256", model.sha256, {})
      .add("decode_scale", model.decode_scale, {.words = std::move(scales)});
}

/// "FILE:LINE: model.KEY", or the file alone where it does not say the key.
std::string place_of(config::OptionSet& set, const fs::path& toml, std::string_view key) {
  const config::Option* option = set.find("model", key);
  const std::string& place = option->origin == "default" ? toml.string() : option->origin;
  return fmt::format("{}: {}", place, option->name());
}

Result<void, Error> check_digest(const fs::path& path, const std::string& wanted,
                                 const std::string& place) {
  if (wanted.empty()) return {};
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  const std::string found = security::sha256_hex(bytes.view());
  if (found == wanted) return {};
  return wrong(fmt::format("{}: {} has another one, {}: get the file again, or correct the digest",
                           place, path.string(), found));
}

/// The file, absolute: it has to be the same one in every process.
Result<fs::path, Error> find_file(const fs::path& folder, const fs::path& file,
                                  const std::string& place) {
  std::error_code error;
  const fs::path path = fs::absolute(folder, error) / file;
  const auto size = fs::is_regular_file(path, error) ? fs::file_size(path, error) : 0;
  if (error || size == 0) {
    return not_there(
        fmt::format("{}: {} is not a file that can be read; name one from the folder "
                    "of the model file, or an absolute path",
                    place, path.string()));
  }
  if (size > kFileBytesMax || path.string().size() > kModelPathMax) {
    return wrong(fmt::format("{}: {} is too large, or its path is: {} and {} bytes are allowed",
                             place, path.string(), kFileBytesMax, kModelPathMax));
  }
  return path;
}

Result<Model, Error> read_model(const fs::path& toml) {
  const std::string name = toml.stem();
  if (!is_model_name(name)) {
    return wrong(
        fmt::format("{}: a model is called as its file is, by up to 64 letters, digits, "
                    "underscores and hyphens; rename the file",
                    toml.string()));
  }
  ModelFile said;
  config::OptionSet set{"model file", ""};
  describe(set, said);
  const auto keys = config::parse_file_into(set, toml);
  if (!keys) {
    const std::string& text = keys.error().text;
    return wrong(text.substr(0, text.find_last_not_of('\n') + 1));
  }
  for (const std::string_view required : {"model.detector", "model.file"}) {
    if (std::find(keys->begin(), keys->end(), required) == keys->end()) {
      return wrong(
          fmt::format("{}: {} is missing; a model file has to say it", toml.string(), required));
    }
  }
  const auto path = find_file(toml.parent_path(), said.file, place_of(set, toml, "file"));
  if (!path) return fail(path.error());
  const auto digest = check_digest(*path, said.sha256, place_of(set, toml, "sha256"));
  if (!digest) return fail(digest.error());
  return Model{name, said.detector, path->string(), said.decode_scale};
}

Result<std::vector<fs::path>, Error> files_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == kExtension) files.push_back(entry->path());
  }
  if (error) {
    return not_there(fmt::format("models: {}: {}; name a folder of model files, NAME.toml",
                                 folder.string(), error.message()));
  }
  if (files.size() > kModelsMax) {
    return wrong(fmt::format("models: {} has {} model files; {} are allowed", folder.string(),
                             files.size(), kModelsMax));
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Makes the detector once with each model: what is no cascade is refused before a task needs it.
Result<void, Error> load_each(const fs::path& folder, const DetectorSettings& settings) {
  for (const auto& kind : detector_kinds()) {
    const OptionSpec* const option = model_option(kind);
    for (const auto& model : settings.models) {
      if (option == nullptr || model.detector != kind.name) continue;
      const auto spec = fmt::format("{}?{}={}", kind.name, option->name, model.name);
      const auto made = make_detector(spec, settings);
      if (made) continue;
      const fs::path toml = folder / (model.name + std::string(kExtension));
      return fail(
          Error{fmt::format("{}: {}", toml.string(), made.error().text), made.error().exit_code});
    }
  }
  return {};
}

}  // namespace

Result<std::vector<Model>, Error> read_models(const fs::path& folder, DetectorSettings settings) {
  if (folder.empty()) return {};
  const auto files = files_of(folder);
  if (!files) return fail(files.error());
  settings.models.clear();
  for (const auto& toml : *files) {
    auto model = read_model(toml);
    if (!model) return fail(model.error());
    settings.models.push_back(std::move(*model));
  }
  if (const auto loaded = load_each(folder, settings); !loaded) return fail(loaded.error());
  return settings.models;
}

}  // namespace framefleet::worker
