#include "bench/fleet/rounds.hpp"

#include "shared/base/assert.hpp"
#include "shared/telemetry/cpus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <tuple>

#include "bench/figures/quantiles.hpp"
#include "bench/fleet/picture_contestants.hpp"
#include "bench/fleet/rival.hpp"

namespace framefleet::bench {
namespace {

/// So that libraries, tables and connections are warm, and a pace is known.
constexpr std::uint64_t kWarmUpTasks = 1000;
constexpr std::uint64_t kTasksMin = 200;
constexpr std::uint64_t kTasksMax = 1'000'000;
/// Of all payloads of a run: nobody's memory or disk is what is measured.
constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 30U;

bool is_chosen(const std::string& name, const BenchOptions& options) {
  return options.rivals.empty() ||
         std::find(options.rivals.begin(), options.rivals.end(), name) != options.rivals.end();
}

class Turns {
 public:
  Turns(const Workload& workload, const BenchOptions& options)
      : workload_(workload), options_(options) {}

  Result<Standings, Error> measure(const Told& told) {
    auto measured = workload_.pictures > 0 ? enter_with_pictures() : enter();
    if (measured) measured = all_rounds(told);
    for (auto& each : contestants_) {
      auto finished = each->finish();
      if (measured && !finished) measured = fail(finished.error());
    }
    if (!measured) return fail(measured.error());
    return std::move(standings_);
  }

 private:
  Result<void, Error> enter() {
    const Surroundings surroundings{.tcp = options_.transport == Transport::tcp,
                                    .durable = workload_.durable};
    add(make_fleet(surroundings, FleetKind::plain));
    if (options_.isolated) add(make_fleet(surroundings, FleetKind::isolated));
    if (workload_.collected) add(make_fleet(surroundings, FleetKind::collected));
    for (const auto& rival : rivals()) {
      if (!is_chosen(rival->name(), options_)) continue;
      if (const auto why = rival->absence(); !why.empty()) {
        standings_.absent.emplace_back(rival->name(), why);
      } else if (workload_.durable && !rival->durable()) {
        standings_.absent.emplace_back(rival->name(), "keeps nothing on a disk");
      } else {
        add(make_contestant(*rival, surroundings));
      }
    }
    return {};
  }

  Result<void, Error> enter_with_pictures() {
    auto stock = PictureStock::draw();
    if (!stock) return fail(stock.error());
    stock_.emplace(std::move(*stock));
    const PictureField field{.stock = *stock_,
                             .tcp = options_.transport == Transport::tcp,
                             .slots = telemetry::usable_cpus(),
                             .steady = workload_.steady};
    add(make_picture_fleet(field));
    for (const auto& name : picture_rivals()) {
      if (!is_chosen(name, options_)) continue;
      if (const auto why = absence_of_picture_rival(name); !why.empty()) {
        standings_.absent.emplace_back(name, why);
      } else {
        add(make_picture_rival(name, field));
      }
    }
    return {};
  }

  void add(std::unique_ptr<Contestant> contestant) {
    standings_.all.push_back({contestant->name(), {}});
    contestants_.push_back(std::move(contestant));
  }

  Result<void, Error> all_rounds(const Told& told) {
    for (auto& each : contestants_) {
      if (auto started = each->start(); !started) return started;
      if (auto warm = warm_up(*each); !warm) return warm;
    }
    for (std::uint32_t round = 0; round < options_.rounds; ++round) {
      for (std::size_t i = 0; i < contestants_.size(); ++i) {
        auto run = contestants_[i]->run(load_of(loads_[i]));
        if (!run) return fail(run.error());
        loads_[i] = tasks_for(run->per_second);
        told(contestants_[i]->name(), round, *run);
        standings_.all[i].runs.push_back(std::move(*run));
      }
    }
    return {};
  }

  /// Twice: the first one starts everything, the second one says how fast it is.
  Result<void, Error> warm_up(Contestant& contestant) {
    if (workload_.pictures > 0) {  // What is read from the disk once has been.
      const auto run = contestant.run(load_of(std::uint64_t{2} * telemetry::usable_cpus() + 1));
      if (!run) return fail(run.error());
      loads_.push_back(workload_.pictures);
      return {};
    }
    const auto first = contestant.run(load_of(kTasksMin));
    if (!first) return fail(first.error());
    const auto second = contestant.run(load_of(options_.tasks > 0 ? kTasksMin : kWarmUpTasks));
    if (!second) return fail(second.error());
    loads_.push_back(tasks_for(second->per_second));
    return {};
  }

  std::uint64_t tasks_for(double per_second) const {
    if (workload_.pictures > 0) return workload_.pictures;
    const double pace = workload_.per_second > 0 ? workload_.per_second : per_second;
    return tasks_at(pace, workload_.bytes, options_);
  }

  Load load_of(std::uint64_t tasks) const {
    return {.tasks = tasks,
            .bytes = workload_.bytes,
            .per_second = workload_.per_second,
            .joined = workload_.joined};
  }

  const Workload& workload_;
  const BenchOptions& options_;
  std::optional<PictureStock> stock_;
  Standings standings_;
  std::vector<std::unique_ptr<Contestant>> contestants_;
  std::vector<std::uint64_t> loads_;
};

/// "tasks/s / redis"
std::string words_for(const Wish& wish, const Workload& workload) {
  const std::string rival = wish.rival.empty() ? "the best rival" : wish.rival;
  const auto* collected = wish.collected ? ", collected" : "";
  switch (wish.measure) {
    case Measure::pace:
      return fmt::format("{}/s / {}{}", workload.pictures > 0 ? "pictures" : "tasks", rival,
                         wish.note);
    case Measure::p50:
      return fmt::format("p50{} / {}{}", collected, rival, wish.note);
    case Measure::p99:
      return fmt::format("p99{} / {}{}", collected, rival, wish.note);
    case Measure::broker_share:
      return "the broker's CPU of the machine's";
    case Measure::loops_share:
      return fmt::format("pictures/s / ({} x {})", telemetry::usable_cpus(), rival);
  }
  return {};
}

double broker_share(const RunFigures& run) {
  const auto* broker = run.broker();
  if (broker == nullptr) return 0;
  return broker->cpu_us * 1e-6 * run.per_second / telemetry::usable_cpus();
}

/// Ours to the rival that is named, or to the one that does best.
std::optional<double> ratio_to(const Wish& wish, const Standings& standings) {
  if (wish.measure == Measure::broker_share) {
    std::vector<double> shares;
    for (const auto& run : standings.all.front().runs) shares.push_back(broker_share(run));
    return median(std::move(shares));
  }
  const auto ours = std::find_if(
      standings.all.begin(), standings.all.end(),
      [&](const Standing& each) { return !wish.collected || each.name == kCollectedFleet; });
  FRAMEFLEET_ASSERT(ours != standings.all.end());
  std::optional<double> worst;
  for (std::size_t i = 1; i < standings.all.size(); ++i) {
    const auto& theirs = standings.all[i];
    const bool is_ours = theirs.name.starts_with(standings.all[0].name);
    if (is_ours || (!wish.rival.empty() && wish.rival != theirs.name)) continue;
    double one = ratio(*ours, theirs, wish.measure);
    if (wish.measure == Measure::loops_share) one /= telemetry::usable_cpus();
    const bool worse = !worst || (wish.bound == Bound::at_least ? one < *worst : one > *worst);
    if (worse) worst = one;
  }
  return worst;
}

}  // namespace

Result<Standings, Error> take_turns(const Workload& workload, const BenchOptions& options,
                                    const Told& told) {
  return Turns(workload, options).measure(told);
}

std::uint64_t tasks_at(double per_second, std::uint64_t bytes, const BenchOptions& options) {
  if (options.tasks > 0) return options.tasks;
  const auto tasks = static_cast<std::uint64_t>(per_second * seconds(options.time));
  return std::clamp(tasks, kTasksMin, std::min(kTasksMax, kBytesMax / bytes));
}

double value_of(const RunFigures& run, Measure measure) {
  if (measure == Measure::pace || measure == Measure::loops_share) return run.per_second;
  return run.latency_us.at(measure == Measure::p50 ? 0 : 1);
}

double ratio(const Standing& ours, const Standing& theirs, Measure measure) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.runs.size(); ++i) {
    ratios.push_back(value_of(ours.runs[i], measure) / value_of(theirs.runs[i], measure));
  }
  return median(std::move(ratios));
}

std::vector<Verdict> verdicts(const Workload& workload, const Standings& standings) {
  std::vector<Verdict> all;
  for (const auto& wish : workload.wishes) {
    all.push_back({{workload.name, words_for(wish, workload), wish.bound, wish.value},
                   ratio_to(wish, standings)});
  }
  return all;
}

}  // namespace framefleet::bench
