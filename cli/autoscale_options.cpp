#include "cli/autoscale_options.hpp"

#include "shared/config/option_set.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace framefleet::cli {
namespace {

/// What autoscale says itself to each of its workers.
constexpr std::array<std::string_view, 3> kOwnFlags{"--connect", "--name", "--drain-timeout"};

std::optional<std::string> fault_of(const AutoscaleOptions& options) {
  if (auto range = parse_worker_range(options.range()); !range) return range.error();
  if (!options.connect.starts_with("ipc://")) {
    return "autoscale.connect: '" + options.connect +
           "' is no ipc:///PATH; a broker obeys its own user alone, over ipc";
  }
  for (const auto& word : options.worker_flags()) {
    const auto flag = std::string_view(word).substr(0, word.find('='));
    if (std::find(kOwnFlags.begin(), kOwnFlags.end(), flag) != kOwnFlags.end()) {
      return std::string(flag) + " belongs before the --: the workers are told by autoscale";
    }
  }
  return std::nullopt;
}

}  // namespace

void describe(config::OptionSet& set, AutoscaleOptions& options) {
  using namespace std::chrono_literals;
  set.section("autoscale")
      .add("connect", options.connect,
           {.help = "Address of the broker, ipc:///PATH: it is asked there, and the workers work "
                    "for it."})
      .add("name", options.name,
           {.help = "What the workers' names begin with; none: the machine's name and a number."})
      .add("up_delay", options.up_delay,
           {.help = "Workers are started that were needed for so long.", .max = 1h})
      .add("down_delay", options.down_delay,
           {.help = "Workers are let go that were not needed for so long.", .max = 24h})
      .add("drain_timeout", options.drain_timeout,
           {.help = "How long a worker that leaves may take to finish what it has.",
            .min = 100ms,
            .max = 24h});
  telemetry::describe(set, options.log);
  set.positional(
      "MIN:MAX", options.words,
      {.help = "The least and the most workers, as in 1:8 (0:8: none while nothing is to "
               "be done); behind a --, flags of framefleet-worker.",
       .count_min = 1});
  set.check([&options] { return fault_of(options); });
  set.epilog(
      "Example: framefleet autoscale 1:8 -- --slots 1 --models /srv/models\n"
      "SIGTERM or Ctrl-C: every worker finishes what it has and leaves. Again: they leave now, and "
      "what they had goes to others.\n"
      "Exit codes: 0 all left in order; 3 some were stopped; 64 usage; 70 internal; 78 "
      "configuration; or what a worker ended with that cannot be started.\n");
}

}  // namespace framefleet::cli
