#pragma once
// The options of `framefleet run`, with their defaults.

#include "shared/base/time.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace framefleet::config {
class OptionSet;
}

namespace framefleet::cli {

enum class FleetTransport : std::uint8_t { ipc, tcp };

struct RunOptions {
  std::vector<std::string> sources;
  std::vector<std::string> detect{"faces"};
  std::filesystem::path out{"results"};
  bool annotate{false};
  bool watch{false};
  std::string order{"name"};     ///< As the producer names it.
  std::string job;               ///< "": the producer makes one from sources and detectors.
  std::filesystem::path second;  ///< "": none.
  std::filesystem::path models;  ///< Folder of model files. "": none.
  std::vector<std::string> formats{"jpeg", "png", "webp"};  ///< As the worker names them.
  std::filesystem::path journal;                            ///< Of the broker. "": none.
  std::uint32_t workers{1};                                 ///< Default: telemetry::usable_cpus().
  std::string autoscale;  ///< MIN:MAX. "": `workers` all the time.
  FleetTransport transport{FleetTransport::ipc};
  Duration drain_timeout{std::chrono::seconds(30)};
  bool quiet{false};
  bool json{false};
  bool keep_logs{false};
};

/// Binds every field. Requires: `options` outlives `set`.
void describe(config::OptionSet& set, RunOptions& options);

}  // namespace framefleet::cli
