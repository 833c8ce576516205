#include "bench/fleet/crowd/worker_crowd.hpp"

#include "worker/core/session.hpp"

#include "shared/base/assert.hpp"
#include "shared/base/detection.hpp"
#include "shared/wire/codec.hpp"

#include <fmt/format.h>

#include <chrono>
#include <deque>
#include <utility>
#include <variant>

#include "bench/fleet/crowd/crowd.hpp"

namespace framefleet::bench {
namespace {

using namespace std::chrono_literals;

/// What a pool that decodes nothing says of its time, about.
constexpr Duration kElapsed = 50us;

transport::Frame result_record() {
  ResultRecord record;
  record.width = 8;
  record.height = 8;
  record.decode = kElapsed;
  record.reports.push_back(
      {"stub", "1", kElapsed, {{"stub", 1, {0, 0, 8, 8}, R"({"sequence":1,"attempt":1})"}}});
  auto encoded = wire::encode_record(record);
  FRAMEFLEET_ASSERT(encoded.has_value());
  return transport::Frame::of(std::move(*encoded));
}

std::deque<worker::Session> sessions(std::uint64_t count) {
  std::deque<worker::Session> all;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto hello = hello_as(Role::worker, fmt::format("crowd-{}", i), "bench");
    hello.detectors = {"stub"};
    hello.slots = 1;
    all.emplace_back(hello, LinkOptions{});
  }
  return all;
}

}  // namespace

void run_worker_crowd(const Order& order, Cue& cue) {
  const auto record = result_record();
  using Workers = Crowd<worker::Session, worker::Effects>;
  Workers* all = nullptr;
  const auto act = [&](std::size_t i, worker::Effect& effect, worker::Effects& out) {
    const auto* start = std::get_if<worker::StartTask>(&effect);
    if (start == nullptr) return;
    all->cores()[i].finished(start->task.lease, all->payloads().put({record}), kElapsed,
                             telemetry::monotonic_now(), out);
  };
  Workers workers(order.endpoint, sessions(order.connections), act);
  all = &workers;
  workers.connect();
  if (!cue.ready_and_go()) return;
  while (!cue.told_to_end({})) workers.turn(1s);
  workers.with_each(
      [](worker::Session& session, Time now, worker::Effects& out) { session.drain(now, out); });
  workers.until_left(5s);
  Report report;
  std::uint64_t lost = 0;
  for (const auto& session : workers.cores()) {
    report.tasks += session.stats().finished;
    lost += session.stats().link_losses;
  }
  if (lost > 0) report.fault = fmt::format("{} connections were lost", lost);
  cue.report(report);
}

}  // namespace framefleet::bench
