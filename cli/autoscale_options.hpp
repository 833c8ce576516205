#pragma once
// The options of `framefleet autoscale`, with their defaults.

#include "cli/autoscaler.hpp"

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/telemetry/log.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace framefleet::config {
class OptionSet;
}

namespace framefleet::cli {

struct AutoscaleOptions {
  std::vector<std::string> words;  ///< MIN:MAX, and flags of the workers.
  std::string connect{"ipc:///run/framefleet/broker.sock"};
  std::string name;  ///< Of the workers, before their numbers. "": HOST-PID.
  Duration up_delay{AutoscalerOptions{}.up_delay};
  Duration down_delay{AutoscalerOptions{}.down_delay};
  Duration drain_timeout{std::chrono::seconds(30)};
  telemetry::LogOptions log;

  const std::string& range() const { return words.front(); }
  std::vector<std::string> worker_flags() const { return {words.begin() + 1, words.end()}; }
};

/// Binds every field. Requires: `options` outlives `set`.
void describe(config::OptionSet& set, AutoscaleOptions& options);

}  // namespace framefleet::cli
