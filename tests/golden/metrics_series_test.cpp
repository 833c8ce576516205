// How many series a process has: bounded by what is there now, and back where it was when that is
// gone.

#include "broker/broker_metrics.hpp"
#include "broker/core/dispatcher.hpp"
#include "producer/producer_metrics.hpp"
#include "sink/sink_metrics.hpp"
#include "tests/golden/metrics_document.hpp"
#include "tests/support/catch.hpp"
#include "worker/detectors/registry.hpp"
#include "worker/pool/child_end.hpp"
#include "worker/worker_metrics.hpp"

#include "shared/telemetry/process_metrics.hpp"

#include <memory>
#include <string>
#include <vector>

using namespace framefleet;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kSeriesMax = 400;

std::size_t series_of(const std::shared_ptr<prometheus::Collectable>& source) {
  const auto process = std::make_shared<telemetry::ProcessMetrics>("sample");
  const auto text = telemetry::metrics_text({source, process});
  std::size_t series = 0;
  for (const auto& [name, family] : test::parse_metrics_text(text).families) {
    series += family.samples;
  }
  return series;
}

std::string camera(int number) { return "camera-" + std::to_string(number); }

/// A broker's core with its metrics: what a shell does, without a network.
class Rig {
 public:
  Rig() : dispatcher_({}) {}

  void receive(std::uint64_t peer, Message message) {
    now_ += 1ms;
    dispatcher_.receive(PeerId{peer}, std::move(message), now_, effects_);
    for (const auto& effect : effects_) {
      if (const auto* send = std::get_if<broker::SendTo>(&effect)) metrics_.observe(send->message);
      if (const auto* end = std::get_if<broker::TaskSettled>(&effect)) metrics_.observe(*end);
      if (const auto* end = std::get_if<broker::LeaseClosed>(&effect)) metrics_.observe(*end);
    }
    effects_.clear();
  }
  void hello(std::uint64_t peer, Role role, const std::string& name,
             std::vector<SourceClaim> sources = {}) {
    auto hello = hello_as(role, name, "test");
    hello.sources = std::move(sources);
    if (role == Role::worker) {
      hello.detectors = {"edges"};
      hello.slots = 2;
    }
    if (role == Role::sink) hello.store = "store";
    receive(peer, hello);
  }
  std::size_t series() {
    broker::BrokerStats stats;
    stats.dispatcher = dispatcher_.stats(now_);
    metrics_.publish(std::move(stats));
    return series_of(metrics_.source());
  }

 private:
  broker::Dispatcher dispatcher_;
  broker::BrokerMetrics metrics_;
  broker::Effects effects_;
  Time now_{1s};
};

Submit frame_of(int number, std::uint64_t sequence) {
  SubmittedTask task;
  task.id = {static_cast<std::uint64_t>(number), 1, sequence, 0};
  task.source = camera(number);
  task.task_class = TaskClass::live;
  task.detectors = {"edges"};
  return {{task}};
}

}  // namespace

TEST_CASE("a broker with 10 live sources and 4 workers has fewer than 400 series") {
  broker::BrokerMetrics metrics;
  broker::BrokerStats stats;
  Account account;
  for (const auto status : {Status::ok, Status::failed, Status::expired, Status::superseded}) {
    account.settled.at(static_cast<std::size_t>(status)) = 1;  // what live frames come to
  }
  for (int i = 0; i < 10; ++i) {
    stats.dispatcher.by_source.emplace_back(camera(i), account);
    stats.dispatcher.live_sources.emplace_back(camera(i), Duration{1});
    AssignedTask frame;
    frame.source = camera(i);
    frame.task_class = TaskClass::live;
    metrics.observe(Message{Assign{{frame}}});
  }
  metrics.publish(stats);
  const auto series = series_of(metrics.source());
  INFO(series);
  CHECK(series < kSeriesMax);
  CHECK(series > 200);  // it counts what it should
}

TEST_CASE(
    "a worker that is asked for four detectors, a producer and a sink have fewer than 400 series") {
  std::vector<std::string> detectors;
  for (const auto& kind : worker::detector_kinds()) detectors.emplace_back(kind.name);
  worker::WorkerMetrics worker{detectors};
  worker::WorkerStats stats;
  for (const auto& row : reason_table()) {
    if (row.charge != Charge::answer) stats.failed[row.reason] = 1;
  }
  for (const auto cause : worker::end_cause::kAll) stats.pool.ends[cause] = 1;
  for (const auto& test : worker::self_tests()) {
    stats.self_tests.push_back(
        {std::string(test.detector), std::string(word_of(test.format)), false, 1});
  }
  worker.publish(stats);
  ResultRecord record;
  record.reports.resize(4);
  for (std::size_t i = 0; i < 4; ++i) record.reports.at(i).detector = detectors.at(i);
  worker.observe(record);
  const auto series = series_of(worker.source());
  INFO(series);
  CHECK(series < kSeriesMax);
  CHECK(series > 150);  // it counts what it should
  CHECK(series_of(producer::ProducerMetrics{}.source()) < kSeriesMax);
  CHECK(series_of(sink::SinkMetrics{}.source()) < kSeriesMax);
}

TEST_CASE("after 50 workers came and went the broker has the series that it had") {
  Rig rig;
  rig.hello(1, Role::sink, "sink");
  const auto before = rig.series();
  for (std::uint64_t i = 0; i < 50; ++i) {
    rig.hello(100 + i, Role::worker, "worker-" + std::to_string(i));
  }
  CHECK(rig.series() == before);  // no series is a worker's own
  for (std::uint64_t i = 0; i < 50; ++i) rig.receive(100 + i, Goodbye{});
  CHECK(rig.series() == before);
}

TEST_CASE("the rows of live sources go with their producer; their counters are books and stay") {
  Rig rig;
  rig.hello(1, Role::sink, "sink");
  rig.hello(2, Role::worker, "worker");
  const auto before = rig.series();
  std::vector<SourceClaim> claims;
  for (int i = 0; i < 10; ++i) {
    claims.push_back({.name = camera(i), .epoch = 1, .hash = static_cast<std::uint64_t>(i)});
  }
  rig.hello(3, Role::producer, "gate", claims);
  for (int i = 0; i < 10; ++i) rig.receive(3, frame_of(i, 1));
  const auto with_sources = rig.series();
  const std::size_t counters = 10;                         // submitted
  CHECK(with_sources == before + counters + 10 + 2 * 12);  // silent; two slots, so two ages
  rig.receive(3, Goodbye{});
  CHECK(rig.series() == before + counters);
}
