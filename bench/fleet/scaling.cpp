#include "bench/fleet/scaling.hpp"

#include "shared/processes/resource_limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "bench/figures/quantiles.hpp"
#include "bench/fleet/crowd/switchboard.hpp"
#include "bench/fleet/rounds.hpp"

namespace framefleet::bench {
namespace {

constexpr std::uint64_t kFewWorkers = 4;
constexpr std::uint64_t kManyWorkers = 1000;
/// So that each worker has had some, and the broker knows how quick it is.
constexpr std::uint64_t kWarmUpTasks = 5000;

/// A fleet of its own, from its start to its end: the most memory that it had is that of this size.
Result<RunFigures, Error> run_fresh(const FleetSize& size, const BenchOptions& options,
                                    std::optional<double> pace) {
  const auto fleet = make_fleet(
      {.tcp = options.transport == Transport::tcp, .workers = 0, .crowd_workers = size.workers},
      FleetKind::plain);
  if (auto started = fleet->start(); !started) return fail(started.error());
  Load load{.tasks = options.tasks > 0 ? options.tasks : kWarmUpTasks,
            .bytes = kScalingBytes,
            .producers = size.sources};
  auto run = fleet->run(load);
  if (run) {
    load.tasks = tasks_at(pace.value_or(run->per_second), kScalingBytes, options);
    run = fleet->run(load);
  }
  auto finished = fleet->finish();
  if (run && !finished) return fail(finished.error());
  return run;
}

const ScalePoint* point_of(const ScaleFigures& figures, Axis axis, std::uint64_t workers) {
  const auto found =
      std::find_if(figures.points.begin(), figures.points.end(), [&](const ScalePoint& point) {
        return point.size.axis == axis && point.size.workers == workers && !point.runs.empty();
      });
  return found == figures.points.end() ? nullptr : &*found;
}

}  // namespace

Result<void, Error> make_room_for(std::uint64_t connections) {
  raise_limit(RLIMIT_NOFILE);
  rlimit now{};
  ::getrlimit(RLIMIT_NOFILE, &now);
  const auto wanted = Switchboard::descriptors_for(connections);
  if (now.rlim_cur >= wanted) return {};
  return fail(Error{fmt::format("{} connections need {} open files, and {} are allowed: raise the "
                                "limit (ulimit -Hn), or give a smaller --crowd",
                                connections, wanted, now.rlim_cur),
                    exit_code::kConfig});
}

const char* to_string(Axis axis) {
  return axis == Axis::workers ? "scale, workers" : "scale, sources";
}

std::vector<FleetSize> fleet_sizes(std::uint64_t crowd) {
  std::vector<FleetSize> sizes;
  const auto up_to_crowd = [crowd](std::vector<std::uint64_t> steps) {
    std::erase_if(steps, [crowd](std::uint64_t step) { return step >= crowd; });
    steps.push_back(crowd);
    return steps;
  };
  for (const auto workers : up_to_crowd({1, kFewWorkers, 64})) {
    sizes.push_back({Axis::workers, workers, 1});
  }
  for (const auto sources : up_to_crowd({10, 100})) {
    sizes.push_back({Axis::sources, kFewWorkers, sources});
  }
  return sizes;
}

Verdict ScaleFigures::verdict() const {
  constexpr double kWanted = 0.7;
  Verdict verdict{
      {"scale", fmt::format("tasks/s with {} workers / with {}", kManyWorkers, kFewWorkers),
       Bound::at_least, kWanted},
      std::nullopt};
  const auto* many = point_of(*this, Axis::workers, kManyWorkers);
  const auto* few = point_of(*this, Axis::workers, kFewWorkers);
  if (many == nullptr || few == nullptr) return verdict;
  std::vector<double> ratios;
  for (std::size_t i = 0; i < many->runs.size(); ++i) {
    ratios.push_back(many->runs[i].per_second / few->runs.at(i).per_second);
  }
  verdict.measured = median(std::move(ratios));
  return verdict;
}

Result<ScaleFigures, Error> measure_scaling(const BenchOptions& options, const ScaleTold& told) {
  ScaleFigures figures;
  for (const auto& size : fleet_sizes(options.crowd)) figures.points.push_back({size, {}});
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    for (auto& point : figures.points) {
      std::optional<double> pace;
      if (!point.runs.empty()) pace = point.runs.back().per_second;
      auto run = run_fresh(point.size, options, pace);
      if (!run) return fail(run.error());
      told(point.size, round, *run);
      point.runs.push_back(std::move(*run));
    }
  }
  return figures;
}

}  // namespace framefleet::bench
