#include "bench/fleet/backlog.hpp"

#include <algorithm>

#include "bench/fleet/contestant.hpp"

namespace framefleet::bench {
namespace {

constexpr std::uint64_t kPayloadBytes = 64;
constexpr std::uint64_t kTasks = 250'000;

double broker_peak(const RunFigures& run) {
  const auto broker = std::find_if(run.processes.begin(), run.processes.end(),
                                   [](const auto& each) { return each.process == "broker"; });
  return broker == run.processes.end() ? 0 : static_cast<double>(broker->peak_bytes);
}

}  // namespace

Verdict BacklogFigures::verdict() const {
  return {{"scale", "bytes of the broker per task that waits", Bound::at_most, 400},
          bytes_per_task};
}

Result<BacklogFigures, Error> measure_backlog(const BenchOptions& options) {
  const auto fleet =
      make_fleet({.tcp = options.transport == Transport::tcp, .workers = 0}, Isolation::none);
  if (auto started = fleet->start(); !started) return fail(started.error());
  const std::uint64_t tasks = options.tasks > 0 ? options.tasks : kTasks;
  // What is taken once, whatever waits, is taken before.
  const auto before =
      fleet->run({.tasks = std::max<std::uint64_t>(1, tasks / 10), .bytes = kPayloadBytes});
  if (!before) return fail(before.error());
  const auto after = fleet->run({.tasks = tasks, .bytes = kPayloadBytes});
  if (!after) return fail(after.error());
  if (auto finished = fleet->finish(); !finished) return fail(finished.error());
  const double grown = broker_peak(*after) - broker_peak(*before);
  return BacklogFigures{tasks, grown / static_cast<double>(tasks) - kPayloadBytes,
                        after->per_second};
}

}  // namespace framefleet::bench
