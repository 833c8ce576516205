#include "cli/fleet_commands.hpp"

#include "shared/base/assert.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <system_error>
#include <utility>

namespace framefleet::cli {
namespace fs = std::filesystem;

namespace {

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ","));
}

void add(std::vector<std::string>& arguments, const char* flag, const std::string& value) {
  arguments.insert(arguments.end(), {flag, value});
}

}  // namespace

fs::path own_folder() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path{} : self.parent_path();
}

std::string locate(const fs::path& folder, const std::string& name) {
  const fs::path beside = folder / name;
  return !folder.empty() && ::access(beside.c_str(), X_OK) == 0 ? beside.string() : name;
}

FleetCommands::FleetCommands(fs::path programs, FleetEndpoints endpoints, const RunOptions& options,
                             fs::path state)
    : programs_(std::move(programs)),
      endpoints_(std::move(endpoints)),
      options_(options),
      state_(std::move(state)) {}

/// One that knows the models and formats of this run.
Command FleetCommands::worker(std::vector<std::string> arguments) const {
  if (!options_.models.empty()) add(arguments, "--models", options_.models.string());
  if (options_.formats != RunOptions{}.formats) {
    add(arguments, "--formats", joined(options_.formats));
  }
  return {locate(programs_, "framefleet-worker"), std::move(arguments)};
}

Command FleetCommands::check_detectors() const {
  return worker({"--check-detectors", joined(options_.detect), "--metrics-listen", ""});
}

Command FleetCommands::of(const ChildName& child) const {
  const std::string& endpoint = endpoints_.fleet;
  switch (child.kind) {
    case ChildKind::broker: {
      Command command{locate(programs_, "framefleet-broker"),
                      {"--bind", endpoint, "--metrics-listen", ""}};
      if (endpoints_.operators != endpoint) {
        add(command.arguments, "--bind", endpoints_.operators);
      }
      if (!options_.journal.empty()) {
        add(command.arguments, "--journal", options_.journal.string());
      }
      return command;
    }
    case ChildKind::sink:
      return {locate(programs_, "framefleet-sink"),
              {"--connect", endpoint, "--store", options_.out.string(), "--metrics-listen", ""}};
    case ChildKind::worker:
      return worker({"--connect", endpoint, "--name", to_string(child), "--slots", "1",
                     "--metrics-listen", ""});
    case ChildKind::producer: {
      Command command{
          locate(programs_, "framefleet-producer"),
          {"--connect", endpoint, "--detect", joined(options_.detect), "--confirm", "stored",
           "--manifest", state_.string(), "--progress-fd", "3", "--metrics-listen", ""}};
      auto& arguments = command.arguments;
      if (!options_.job.empty()) add(arguments, "--job", options_.job);
      if (options_.annotate) arguments.emplace_back("--annotate");
      if (options_.watch) arguments.emplace_back("--watch");
      if (options_.order != RunOptions{}.order) add(arguments, "--order", options_.order);
      if (!options_.second.empty()) add(arguments, "--second", options_.second.string());
      arguments.emplace_back("--");
      arguments.insert(arguments.end(), options_.sources.begin(), options_.sources.end());
      return command;
    }
  }
  FRAMEFLEET_ASSERT(false);
}

}  // namespace framefleet::cli
