#include "bench/fleet/options.hpp"

#include "shared/telemetry/cpus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "bench/fleet/picture_contestants.hpp"
#include "bench/fleet/rival.hpp"
#include "bench/fleet/workload.hpp"

namespace framefleet::bench {
namespace {

std::optional<std::string> check_workloads(const BenchOptions& options) {
  for (const auto& name : options.workloads) {
    if (workloads_of(name, options).empty()) {
      return "there is no workload \"" + name +
             "\"; there are: queue, frames, durable, latency, scale, vision";
    }
  }
  // Each processor has its first one and its last one, which are not timed, and then there is one.
  const auto pictures_min = std::uint64_t{2} * telemetry::usable_cpus() + 1;
  if (options.pictures < pictures_min) {
    return fmt::format("--pictures must be at least {} with these processors", pictures_min);
  }
  return std::nullopt;
}

}  // namespace

void describe(config::OptionSet& set, BenchOptions& options) {
  using namespace std::chrono_literals;
  constexpr std::uint32_t kRoundsMax = 1000;
  constexpr std::uint64_t kTasksMax = 10'000'000;
  constexpr std::uint64_t kCrowdMin = 11;
  constexpr std::uint64_t kCrowdMax = 10'000;
  constexpr double kRateMax = 1'000'000;
  constexpr std::uint64_t kPicturesMax = 1'000'000;
  std::vector<std::string> names;
  for (const auto& rival : rivals()) names.push_back(rival->name());
  for (const auto& rival : picture_rivals()) names.push_back(rival);
  set.section("bench", "What is measured, and how often.")
      .add("rounds", options.rounds,
           {.help = "In each of them everybody runs once; what is printed are medians.",
            .min = 1,
            .max = kRoundsMax})
      .add("time", options.time,
           {.help = "Of one run, about: as many tasks as were done in this time before.",
            .min = 100ms,
            .max = 1min})
      .add(
          "tasks", options.tasks,
          {.help = "Of one run of everybody, in place of a time; 0: by the time. And how many wait "
                   "in scale; 0: a million.",
           .max = kTasksMax})
      .add("rate", options.rate,
           {.help = "Tasks per second that latency sends, whatever becomes of them.",
            .min = 1,
            .max = kRateMax})
      .add("crowd", options.crowd,
           {.help = "Workers, and sources, that scale ends with.",
            .min = kCrowdMin,
            .max = kCrowdMax})
      .add("pictures", options.pictures,
           {.help = "Of one run of vision in steady state.", .min = 1, .max = kPicturesMax})
      .add("transport", options.transport,
           {.help = "How processes talk: over 127.0.0.1, or over sockets in a folder.",
            .words = {{"tcp", Transport::tcp}, {"ipc", Transport::ipc}}})
      .add("rivals", options.rivals,
           {.help = "With whom to compare; none given: with all that are here.", .choices = names})
      .add("isolated", options.isolated,
           {.help = "Our own workers also with isolation by processes, beside those in threads."})
      .add("json", options.json,
           {.help = "File to which each run and each verdict is written, a JSON object a line."});
  set.positional(
      "workload", options.workloads,
      {.help = "queue: 1 KB; frames: 100 KB; durable: both, kept on a disk before they "
               "are confirmed; latency: 1 KB at --rate, until it is stored and until it is "
               "collected; scale: 100 frames/s of 100 KB, then 1 KB with ever more workers and "
               "ever more sources, and what a backlog costs; vision: JPEGs that are looked at.",
       .count_min = 1});
  set.check([&options] { return check_workloads(options); });
  set.epilog(
      "Everything is started by this program, on ports and in folders of its own ($TMPDIR), and\n"
      "ended with it. bench/METHOD.md says what is compared and what differs. Exit codes: 0 "
      "measured,\nwhatever came of the targets; 64 usage; 70 a run failed, or its counts do not "
      "close; 73 and 74\nthe file; 78 configuration.\n");
}

}  // namespace framefleet::bench
