#include "bench/fleet/backlog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>

#include "bench/fleet/contestant.hpp"

namespace framefleet::bench {
namespace {

constexpr std::uint64_t kPayloadBytes = 64;
constexpr std::uint64_t kTasks = 1'000'000;
constexpr std::uint64_t kTasksMin = 10'000;

/// Of a task that waits, all processes together, with the tenth that goes before; and what is to be
/// left to everybody else.
constexpr std::uint64_t kBytesOfTask = 1024;
constexpr std::uint64_t kLeftBytes = std::uint64_t{512} << 20U;

double broker_peak(const RunFigures& run) {
  return run.broker() == nullptr ? 0 : static_cast<double>(run.broker()->peak_bytes);
}

/// What the kernel thinks can be taken without swapping; 0: it does not say.
std::uint64_t available_bytes() {
  std::ifstream in("/proc/meminfo");
  std::string name;
  std::uint64_t kib = 0;
  for (std::string rest; in >> name >> kib; std::getline(in, rest)) {
    if (name == "MemAvailable:") return kib * 1024;
  }
  return 0;
}

}  // namespace

Verdict BacklogFigures::verdict() const {
  return {{"scale", "bytes of the broker per task that waits", Bound::at_most, 400},
          bytes_per_task};
}

Result<std::uint64_t, Error> tasks_to_wait(const BenchOptions& options) {
  const auto available = available_bytes();
  const auto room = available > kLeftBytes ? (available - kLeftBytes) / kBytesOfTask : 0;
  const auto wanted = options.tasks > 0 ? options.tasks : kTasks;
  if (room >= wanted) return wanted;
  if (options.tasks == 0 && room >= kTasksMin) return room;
  return fail(
      Error{fmt::format("{} tasks that wait need {} MB of memory, and {} MB are available", wanted,
                        (wanted * kBytesOfTask + kLeftBytes) >> 20U, available >> 20U),
            exit_code::kConfig});
}

Result<BacklogFigures, Error> measure_backlog(const BenchOptions& options) {
  const auto wait = tasks_to_wait(options);
  if (!wait) return fail(wait.error());
  const auto tasks = *wait;
  if (options.tasks == 0 && tasks < kTasks) {
    fmt::print(stderr, "scale, backlog: there is memory for {} tasks, not for {}\n", tasks, kTasks);
  }
  const auto fleet =
      make_fleet({.tcp = options.transport == Transport::tcp, .workers = 0}, FleetKind::plain);
  if (auto started = fleet->start(); !started) return fail(started.error());
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
