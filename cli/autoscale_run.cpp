#include "cli/autoscale_run.hpp"

#include "shared/telemetry/monotonic.hpp"
#include "shared/telemetry/program.hpp"

#include <fmt/format.h>

#include <csignal>
#include <limits>
#include <utility>

namespace framefleet::cli {
namespace {

using telemetry::monotonic_now;

/// A worker that was told to leave ends by itself after drain_timeout; what is killed afterwards
/// does not.
constexpr Duration kDrainMargin = std::chrono::seconds(5);

/// No two machines and no two of us on one: the broker tells workers apart by their names.
std::string prefix_of(const std::string& name) {
  return (name.empty() ? telemetry::own_place() : name) + "-";
}

SupervisorOptions supervisor_options(const AutoscaleOptions& options) {
  SupervisorOptions out;
  out.workers = parse_worker_range(options.range())->min;
  out.scales = true;
  out.workers_alone = true;
  out.drain_timeout = options.drain_timeout + kDrainMargin;
  // The others are at work: one that dies again and again is no reason to end them.
  out.restart.early_deaths_max = std::numeric_limits<int>::max();
  out.restart.delay_max = std::chrono::seconds(30);
  return out;
}

ScalerOptions scaler_options(const AutoscaleOptions& options, const std::string& prefix) {
  return {.autoscaler = {.range = *parse_worker_range(options.range()),
                         .up_delay = options.up_delay,
                         .down_delay = options.down_delay},
          .endpoint = options.connect,
          .prefix = prefix};
}

}  // namespace

AutoscaleRun::AutoscaleRun(const AutoscaleOptions& options, std::string worker,
                           telemetry::Logger& log, const telemetry::Signals& signals)
    : options_(options),
      program_(std::move(worker)),
      prefix_(prefix_of(options.name)),
      log_(log),
      signals_(signals),
      supervisor_(supervisor_options(options)),
      scaler_(scaler_options(options, prefix_)) {}

int AutoscaleRun::run() {
  supervisor_.begin(monotonic_now(), effects_);
  while (!supervisor_.ended()) {
    const Time now = monotonic_now();
    supervisor_.tick(now, effects_);
    scaler_.turn(supervisor_, now, effects_);
    perform();
    if (!supervisor_.ended()) wait();
  }
  return conclude();
}

void AutoscaleRun::perform() {
  // start() may append: a child that cannot be started ends it all.
  for (std::size_t at = 0; at < effects_.size(); ++at) {
    const SupervisorEffect effect = effects_[at];
    if (const auto* begin = std::get_if<Start>(&effect)) start(begin->child);
    if (const auto* ask = std::get_if<Terminate>(&effect)) children_.signal(ask->child, SIGTERM);
    if (const auto* end = std::get_if<Kill>(&effect)) children_.signal(end->child, SIGKILL);
    if (const auto* again = std::get_if<RestartPlanned>(&effect)) {
      log_.warn("worker_died", {{"worker", prefix_ + to_string(again->child)},
                                {"ended_with", to_string(again->status)},
                                {"delay", again->delay}});
    }
    if (const auto* scaled = std::get_if<Scaled>(&effect)) tell(*scaled);
    if (const auto* blind = std::get_if<NotScaling>(&effect)) {
      log_.warn("not_scaling", {{"workers", std::uint64_t{blind->workers}}, {"text", blind->why}});
    }
  }
  effects_.clear();
}

void AutoscaleRun::tell(const Scaled& scaled) {
  std::string leaving;
  for (const auto& name : scaled.leaving) leaving += (leaving.empty() ? "" : ",") + name;
  log_.info("scaled", {{"workers", std::uint64_t{scaled.after}},
                       {"before", std::uint64_t{scaled.before}},
                       {"desired", scaled.desired},
                       {"offered_slots", fmt::format("{:.3f}", scaled.offered_slots)},
                       {"waiting_seconds", fmt::format("{:.3f}", scaled.waiting_seconds)},
                       {"leaving", leaving}});
}

void AutoscaleRun::start(const ChildName& name) {
  Command command{program_,
                  {"--connect", options_.connect, "--name", prefix_ + to_string(name),
                   "--drain-timeout", fmt::format("{}ms", ceil_ms(options_.drain_timeout))}};
  const auto flags = options_.worker_flags();
  command.arguments.insert(command.arguments.end(), flags.begin(), flags.end());
  const auto started = children_.start(name, command, {});
  if (!started) supervisor_.not_started(name, started.error(), monotonic_now(), effects_);
}

void AutoscaleRun::wait() {
  std::vector<int> fds{signals_.fd()};
  children_.add_ends(fds);
  scaler_.wait(fds, supervisor_.next_deadline());
  take_signals();
  reap_children();
}

void AutoscaleRun::take_signals() {
  using Wish = telemetry::StopRequest::Wish;
  while (const auto number = signals_.next()) {
    const Wish before = stop_.wish();
    const Wish wish = stop_.hear(*number == SIGHUP ? SIGTERM : *number);  // The terminal has gone.
    if (wish == before) continue;
    if (wish == Wish::now) {
      log_.warn("stopping_now", {{"signal", std::int64_t{*number}}});
    } else {
      log_.info("draining", {{"timeout", options_.drain_timeout}});
    }
    supervisor_.interrupt(monotonic_now(), effects_);
  }
}

void AutoscaleRun::reap_children() {
  for (const auto& [name, status] : children_.reap()) {
    log_.info("worker_ended",
              {{"worker", prefix_ + to_string(name)}, {"ended_with", to_string(status)}});
    supervisor_.exited(name, status, monotonic_now(), effects_);
  }
}

int AutoscaleRun::conclude() {
  const Verdict& verdict = supervisor_.verdict();
  if (!verdict.cause.empty()) log_.error("failed", {{"text", verdict.cause}});
  const bool in_order = verdict.exit_code == exit_code::kOk && verdict.killed.empty();
  const int code =
      in_order || verdict.exit_code != exit_code::kOk ? verdict.exit_code : exit_code::kSomeFailed;
  log_.info("ended", {{"exit_code", std::int64_t{code}}});
  return code;
}

}  // namespace framefleet::cli
