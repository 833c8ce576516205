#include "bench/fleet/crowd/collector.hpp"

#include "sink/core/intake.hpp"

#include <fmt/format.h>

#include <chrono>
#include <deque>
#include <utility>
#include <variant>
#include <vector>

#include "bench/figures/task_book.hpp"
#include "bench/fleet/crowd/crowd.hpp"
#include "bench/fleet/fleet_tasks.hpp"

namespace framefleet::bench {
namespace {

using namespace std::chrono_literals;

class OutcomeCollector {
 public:
  explicit OutcomeCollector(const Order& order)
      : book_(order.tasks),
        line_(order.endpoint, cores(),
              [this](std::size_t, sink::Effect& effect, auto& out) { act(effect, out); }) {}

  void connect() { line_.connect(); }

  void work(Cue& cue) {
    while (!cue.told_to_end({})) line_.turn(1s);
    line_.with_each(
        [](sink::Intake& intake, Time now, sink::Effects& out) { intake.drain(now, out); });
    line_.until_left(5s);
  }

  Report report() {
    return {.tasks = book_.distinct(), .fault = fault(), .latency_us = tail_of(std::move(us_))};
  }

 private:
  static std::deque<sink::Intake> cores() {
    auto hello = hello_as(Role::sink, "collector", "bench");
    hello.store = "00000000-0000-4000-8000-000000000000";
    std::deque<sink::Intake> one;
    one.emplace_back(hello, sink::IntakeOptions{});
    return one;
  }

  void act(const sink::Effect& effect, sink::Effects& out) {
    const Time now = telemetry::monotonic_now();
    auto& intake = line_.cores().front();
    if (const auto* batch = std::get_if<sink::CommitBatch>(&effect)) {
      std::vector<SettledTask> taken;
      for (const auto& outcome : batch->outcomes) {
        note(outcome, now);
        taken.push_back({outcome.id, outcome.status, outcome.reason, outcome.text});
      }
      intake.committed(std::move(taken), now, out);
    } else if (std::holds_alternative<sink::FindStored>(effect)) {
      intake.found({}, now, out);
    }
  }

  void note(const Outcome& outcome, Time now) {
    if (outcome.status != Status::ok) ++not_ok_;
    if (!book_.note(outcome.id.sequence)) return;
    us_.push_back(1e6 * seconds(now - FleetTasks::intended(outcome.task)));
  }

  std::string fault() const {
    if (auto fault = book_.fault(); !fault.empty()) return fault;
    return not_ok_ == 0 ? "" : fmt::format("{} outcomes are not ok", not_ok_);
  }

  TaskBook book_;
  Crowd<sink::Intake, sink::Effects> line_;
  std::vector<double> us_;
  std::uint64_t not_ok_{0};
};

}  // namespace

void run_collector(const Order& order, Cue& cue) {
  OutcomeCollector collector(order);
  collector.connect();
  if (!cue.ready_and_go()) return;
  collector.work(cue);
  cue.report(collector.report());
}

}  // namespace framefleet::bench
