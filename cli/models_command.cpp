#include "cli/models_command.hpp"

#include "cli/child_output.hpp"
#include "cli/fleet_commands.hpp"
#include "cli/operator_options.hpp"
#include "cli/table.hpp"

#include "shared/config/option_set.hpp"
#include "shared/security/sha256.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace framefleet::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kLineBytesMax = std::size_t{1} << 20U;
constexpr std::size_t kModelsMax = 64;

struct ModelsOptions {
  fs::path models;
  std::vector<std::string> names;
};

/// One file that a model is made of.
struct Part {
  std::string file;
  std::string sha256;
  std::string source;
};

/// A line of the worker's.
struct ListedModel {
  std::string name;
  std::string detector;
  std::string state;
  std::string text;
  std::string layout;
  std::string backend;
  std::string licence;
  std::vector<Part> parts;
};

Result<ListedModel, Error> parse(const std::string& line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) {
    return fail(
        Error{"the worker said something that this program does not understand; are both "
              "of one version?"});
  }
  const auto text = [&json](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  ListedModel model{text("name"),   text("detector"), text("state"),   text("text"),
                    text("layout"), text("backend"),  text("licence"), {}};
  model.parts.push_back({text("file"), text("sha256"), text("source")});
  if (!text("structure").empty()) {
    model.parts.push_back({text("structure"), text("structure_sha256"), text("structure_source")});
  }
  return model;
}

Result<std::vector<ListedModel>, Error> ask_worker(const ModelsOptions& options,
                                                   const char* question) {
  std::vector<std::string> lines;
  const auto keep = [&lines](const std::string& line) -> Result<void, Error> {
    if (lines.size() < kModelsMax) lines.push_back(line);
    return {};
  };
  const auto ended = run_to_end({locate(own_folder(), "framefleet-worker"),
                                 {"--log-level", "error", "--metrics-listen", "", "--models",
                                  options.models.string(), question}},
                                kLineBytesMax, keep);
  if (!ended) return fail(ended.error());
  const int code = ended->status.signal != 0 ? exit_code::kInternal : ended->status.code;
  if (code != exit_code::kOk && lines.empty()) return fail(Error{ended->log, code});
  std::vector<ListedModel> models;
  for (const auto& line : lines) {
    auto model = parse(line);
    if (!model) return fail(model.error());
    const auto& names = options.names;
    const bool wanted =
        names.empty() || std::find(names.begin(), names.end(), model->name) != names.end();
    if (wanted) models.push_back(std::move(*model));
  }
  for (const auto& name : options.names) {
    const bool there = std::any_of(models.begin(), models.end(),
                                   [&](const ListedModel& model) { return model.name == name; });
    if (there) continue;
    return fail(Error{fmt::format("there is no model {} in {}", name, options.models.string()),
                      exit_code::kNoInput});
  }
  return models;
}

int show(const std::vector<ListedModel>& models) {
  Table table({{"model", Align::left, 24},
               {"detector", Align::left, 12},
               {"state", Align::left, 8},
               {"layout", Align::left, 10},
               {"backend", Align::left, 20},
               {"licence", Align::left, 20}});
  bool all_well = true;
  for (const auto& model : models) {
    table.add(
        {model.name, model.detector, model.state, model.layout, model.backend, model.licence});
    all_well = all_well && (model.state == "here" || model.state == "good");
  }
  fmt::print("{}", table.render());
  for (const auto& model : models) {
    if (!model.text.empty()) fmt::print("\n{}: {}\n", model.name, model.text);
  }
  return all_well ? exit_code::kOk : exit_code::kSomeFailed;
}

// --- fetch ------------------------------------------------------------------------------------

std::string digest_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return security::sha256_hex(file);
}

/// Why the file is not there now; "" where it is.
std::string fetch(const Part& part) {
  std::error_code error;
  if (fs::exists(part.file, error) && digest_of(part.file) == part.sha256) return {};
  if (part.sha256.empty()) {
    return fmt::format("{}: its model file names no sha256, so nobody could tell what was fetched",
                       part.file);
  }
  if (!part.source.starts_with("https://") && !part.source.starts_with("http://")) {
    return fmt::format("{}: its source is no address (\"{}\"); get it by hand", part.file,
                       part.source);
  }
  const std::string unchecked = part.file + ".part";
  // curl knows proxies, certificates and redirections; it is asked for one file of at most 1 GiB.
  const auto ended =
      run_to_end({"curl",
                  {"--fail", "--location", "--silent", "--show-error", "--proto", "=http,https",
                   "--max-filesize", "1073741824", "--output", unchecked, "--", part.source}},
                 kLineBytesMax, [](const std::string&) -> Result<void, Error> { return {}; });
  if (!ended) return "curl cannot be run; install it, or get " + part.source + " by hand";
  std::string fault;
  if (ended->status.signal != 0 || ended->status.code != exit_code::kOk) {
    fault = fmt::format("{}: {}", part.source, ended->log);
  } else if (const auto found = digest_of(unchecked); found != part.sha256) {
    fault = fmt::format("{}: what came has another sha256, {}; it is not kept", part.source, found);
  } else {
    fs::rename(unchecked, part.file, error);
    if (error) fault = fmt::format("{}: {}", part.file, error.message());
  }
  if (!fault.empty()) fs::remove(unchecked, error);
  return fault;
}

int fetch_all(const std::vector<ListedModel>& models) {
  bool all_well = true;
  for (const auto& model : models) {
    for (const auto& part : model.parts) {
      const auto fault = fetch(part);
      all_well = all_well && fault.empty();
      if (fault.empty()) {
        fmt::print("{}: {}\n", model.name, part.file);
      } else {
        fmt::print(stderr, "framefleet models fetch: {}: {}\n", model.name, fault);
      }
    }
  }
  return all_well ? exit_code::kOk : exit_code::kSomeFailed;
}

struct Verb {
  std::string_view name;
  std::string_view summary;
  const char* question;
  int (*answer)(const std::vector<ListedModel>&);
};
constexpr std::array kVerbs{
    Verb{"list", "Lists the models of a folder, and whether their files are there.",
         "--list-models", show},
    Verb{"check", "Tries each model, as a worker does at its start.", "--check-models", show},
    Verb{"fetch", "Gets the files of models by their source and sha256, those that are not there.",
         "--list-models", fetch_all},
};

}  // namespace

int models_command(const std::vector<std::string>& words) {
  const std::string name = words.size() > 2 ? words[2] : std::string();
  const auto* const verb = std::find_if(kVerbs.begin(), kVerbs.end(),
                                        [&](const Verb& each) { return each.name == name; });
  if (verb == kVerbs.end()) {
    fmt::print(name == "--help" ? stdout : stderr,
               "Usage: framefleet models list|check|fetch --models DIR [NAME…]\n");
    return name == "--help" ? exit_code::kOk : exit_code::kUsage;
  }
  ModelsOptions options;
  config::OptionSet set(fmt::format("framefleet models {}", verb->name),
                        std::string(verb->summary));
  set.section("models").add("models", options.models,
                            {.help = "Folder of model files, NAME.toml (docs/DETECTORS.md)."});
  set.positional("name", options.names, {.help = "Models; none given: all.", .count_max = 64});
  set.epilog(
      "Exit codes: 0; 3 a model is missing, bad, or could not be fetched; 64 usage; 66 no such\n"
      "folder or model; 78 a model file that cannot be understood.\n");
  const auto act = [&]() -> Result<int, Error> {
    const auto models = ask_worker(options, verb->question);
    if (!models) return fail(models.error());
    return verb->answer(*models);
  };
  return run_verb(set, words, act, 2);
}

}  // namespace framefleet::cli
