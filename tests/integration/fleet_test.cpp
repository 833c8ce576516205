// The four shells in one process, over real sockets and a real store: pictures go in, what was
// found in them comes out, and every book says the same.

#include "producer/sources/synthetic_oracle.hpp"
#include "sink/stores/report.hpp"
#include "tests/integration/ledger.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/telemetry/http_get.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <set>

using namespace framefleet;
using namespace framefleet::test;

namespace {

using nlohmann::json;

std::vector<json> stored_lines(const std::filesystem::path& store) {
  std::vector<json> lines;
  std::ifstream file{store / "results.ndjson"};
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  return lines;
}

/// Which frame a stored outcome was made from, by the markers that were found in its pixels.
std::optional<producer::SeenFrame> frame_of(const json& outcome) {
  std::vector<producer::SeenMarker> markers;
  for (const auto& run : outcome.at("detectors")) {
    if (run.at("detector") != "markers") continue;
    for (const auto& found : run.at("detections")) {
      markers.push_back({found.at("extra").at("id").get<int>(),
                         {found.at("x").get<float>(), found.at("y").get<float>(),
                          found.at("width").get<float>(), found.at("height").get<float>()}});
    }
  }
  return producer::decode_marker_ids(markers, outcome.at("width").get<int>(),
                                     outcome.at("height").get<int>());
}

/// Every sequence from 0 to count - 1 once, each made from the pixels of its own frame.
void check_frames(const std::filesystem::path& store, std::uint64_t count, int camera) {
  const auto lines = stored_lines(store);
  CHECK(lines.size() == count);
  std::set<std::uint64_t> sequences;
  for (const auto& outcome : lines) {
    const auto sequence = outcome.at("sequence").get<std::uint64_t>();
    CHECK(sequences.insert(sequence).second);
    CHECK(frame_of(outcome) == producer::SeenFrame{camera, sequence});
  }
  CHECK(sequences.size() == count);
  if (!sequences.empty()) CHECK(*sequences.rbegin() == count - 1);
}

int status_of(const Member& member, const std::string& path) {
  return http_status(member.get(path));
}

}  // namespace

TEST_CASE("pictures go in, detections come out; ledger, metrics and store agree to the unit") {
  const TemporaryFolder folder;
  BrokerMember broker;
  REQUIRE_FALSE(broker.endpoint().empty());
  const auto sink = start_sink(broker.endpoint(), folder.path());
  const auto worker = start_worker(broker.endpoint());
  const auto producer = start_producer(broker.endpoint(),
                                       "synthetic:?count=60&size=320x240&camera=7", "markers,stub");
  CHECK(producer->exit_code() == 0);

  REQUIRE(broker->eventually(
      [&] { return broker->metric("framefleet_broker_settled_tasks_total{") == 60; }));
  CHECK(broker->metric("framefleet_broker_submitted_tasks_total{") == 60);
  CHECK(broker->metric("framefleet_broker_rejected_tasks_total") == 0);
  CHECK(broker->metric("framefleet_broker_tasks{") == 0);
  CHECK(broker->metric("framefleet_broker_backlog_bytes") == 0);
  CHECK(broker->metric("framefleet_broker_unstored_bytes") == 0);
  CHECK(broker->metric("framefleet_broker_task_seconds_count") == 60);
  CHECK(broker->metric("framefleet_broker_unreadable_messages_total") == 0);
  CHECK(broker->metric("framefleet_broker_unsendable_messages_total") == 0);
  CHECK(
      worker->eventually([&] { return worker->metric("framefleet_worker_results_total") == 60; }));
  CHECK(worker->eventually([&] { return worker->metric("framefleet_worker_tasks{") == 0; }));
  CHECK(worker->metric("framefleet_worker_detect_seconds_count{detector=\"stub\"}") == 60);
  CHECK(worker->metric("framefleet_worker_decode_seconds_count") == 60);
  CHECK(sink->eventually(
      [&] { return sink->metric("framefleet_sink_stored_outcomes_total") == 60; }));
  CHECK(sink->metric("framefleet_sink_duplicate_outcomes_total") == 0);
  check_books(*broker, *producer, folder.path());

  CHECK(worker->drained() == 0);
  CHECK(broker->drained() == 0);
  CHECK(sink->drained() == 0);
  const auto report = sink::read_report(folder.path() / "results.sqlite", "test");
  REQUIRE(report);
  CHECK(report->total() == 60);
  CHECK(report->count(Status::ok) == 60);
  check_frames(folder.path(), 60, 7);
}

TEST_CASE(
    "a task that fails is tried again, ends as failed with its reason, and the run ends with 3") {
  const TemporaryFolder folder;
  BrokerMember broker;
  const auto sink = start_sink(broker.endpoint(), folder.path());
  const auto worker = start_worker(broker.endpoint());
  const auto producer =
      start_producer(broker.endpoint(), "synthetic:?count=20&size=200x200", "stub?fail=5");
  CHECK(producer->exit_code() == exit_code::kSomeFailed);
  CHECK(producer->log().find("task_failed") != std::string::npos);
  CHECK(worker->eventually([&] {
    return worker->metric("framefleet_worker_failed_tasks_total{reason=\"detector_error\"}") == 12;
  }));
  const auto report = sink::read_report(folder.path() / "results.sqlite", "test");
  REQUIRE(report);
  CHECK(report->count(Status::ok) == 16);
  CHECK(report->count(Status::failed) == 4);
  for (const auto& outcome : stored_lines(folder.path())) {
    if (outcome.at("status") != "failed") continue;
    CHECK(outcome.at("sequence").get<int>() % 5 == 4);
    CHECK(outcome.at("reason") == "detector_error");
    CHECK(outcome.at("attempts") == 3);
    CHECK(outcome.at("history").size() == 3);
  }
  check_books(*broker, *producer, folder.path());
}

TEST_CASE("a fleet comes together whichever starts first, and readiness says who waits") {
  const TemporaryFolder folder;
  const auto endpoint = "ipc://" + (folder.path() / "broker.sock").string();
  const auto producer = start_producer(endpoint, "synthetic:?count=10&size=200x200", "markers");
  const auto worker = start_worker(endpoint);
  const auto sink = start_sink(endpoint, folder.path() / "store");
  for (auto* waiting : {producer.get(), worker.get(), sink.get()}) {
    CHECK(waiting->eventually(
        [&] { return http_body(waiting->get("/readyz")) == "waiting for the broker\n"; }));
    CHECK(status_of(*waiting, "/readyz") == 503);
    CHECK(status_of(*waiting, "/healthz") == 200);
  }
  BrokerMember broker{broker_options(endpoint)};
  CHECK(broker->eventually([&] { return status_of(*broker, "/readyz") == 200; }));
  CHECK(worker->eventually([&] { return status_of(*worker, "/readyz") == 200; }));
  CHECK(http_body(worker->get("/readyz")) == "serving\n");
  CHECK(sink->eventually([&] { return status_of(*sink, "/readyz") == 200; }));
  CHECK(producer->exit_code() == 0);
  check_frames(folder.path() / "store", 10, 0);
  check_books(*broker, *producer, folder.path() / "store");
}

TEST_CASE("a broker that is stopped in the middle costs no picture and stores none twice") {
  const TemporaryFolder folder;
  const auto endpoint = "ipc://" + (folder.path() / "broker.sock").string();
  const auto sink = start_sink(endpoint, folder.path() / "store");
  const auto worker = start_worker(endpoint);
  auto options = broker_options(endpoint);
  options.core.peer_timeout = std::chrono::milliseconds{1500};
  auto broker = std::make_unique<BrokerMember>(options);
  const auto producer =
      start_producer(endpoint, "synthetic:?count=200&size=200x200", "markers,stub?sleep=5ms");
  REQUIRE(sink->eventually(
      [&] { return sink->metric("framefleet_sink_stored_outcomes_total") >= 20; }));
  (*broker)->stop();
  CHECK((*broker)->exit_code() == exit_code::kSomeFailed);  // it says that it left tasks behind
  CHECK((*broker)->log().find("tasks_given_up") != std::string::npos);
  broker = std::make_unique<BrokerMember>(options);
  CHECK(producer->exit_code() == 0);
  check_frames(folder.path() / "store", 200, 0);
  check_books(**broker, *producer, folder.path() / "store", BrokerSaw::the_rest);
}

TEST_CASE(
    "a worker that is stopped gives its lease back at once, and no attempt is charged for it") {
  const TemporaryFolder folder;
  BrokerMember broker;
  const auto sink = start_sink(broker.endpoint(), folder.path());
  auto worker = start_worker(broker.endpoint());
  const auto producer =
      start_producer(broker.endpoint(), "synthetic:?count=1&size=200x200", "stub?sleep=1s");
  REQUIRE(broker->eventually(
      [&] { return broker->metric("framefleet_broker_tasks{state=\"leased\"}") == 1; }));
  worker->stop();
  CHECK(worker->exit_code() == 0);
  worker = start_worker(broker.endpoint());
  CHECK(producer->exit_code() == 0);
  const auto lines = stored_lines(folder.path());
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].at("attempts") == 1);
  CHECK(lines[0].at("history").empty());
  check_books(*broker, *producer, folder.path());
}

TEST_CASE("a worker whose drain takes too long gives its lease back and ends with 3") {
  const TemporaryFolder folder;
  BrokerMember broker;
  const auto sink = start_sink(broker.endpoint(), folder.path());
  worker::WorkerOptions options;
  options.connect = broker.endpoint();
  options.slots = 1;
  options.name = "worker-1";
  options.detectors = {"stub"};
  options.isolation = worker::Isolation::none;
  options.drain_timeout = Duration::zero();
  auto worker = member_of<worker::Shell>("framefleet-worker", options);
  const auto producer =
      start_producer(broker.endpoint(), "synthetic:?count=1&size=200x200", "stub?sleep=1s");
  const auto leased = [&] { return broker->metric("framefleet_broker_tasks{state=\"leased\"}"); };
  REQUIRE(broker->eventually([&] { return leased() == 1; }));
  CHECK(worker->drained() == exit_code::kSomeFailed);
  CHECK(worker->log().find("drain_given_up") != std::string::npos);
  CHECK(broker->eventually([&] { return leased() == 0; }));
  check_books(*broker, folder.path());
}

TEST_CASE("a broker reads a payload of any size that it lets in") {
  broker::CoreOptions core;
  core.payload_bytes_max = 1000;
  CHECK(broker::frame_bytes_max(core) == std::uint64_t{64} << 20U);
  core.payload_bytes_max = std::uint64_t{1} << 30U;
  CHECK(broker::frame_bytes_max(core) == std::uint64_t{1} << 30U);
}

TEST_CASE("a file whose name is no UTF-8 has its outcome like any other") {
  const TemporaryFolder folder;
  const auto pictures = folder.path() / "pictures";
  std::filesystem::create_directory(pictures);
  std::ofstream{pictures / "na\xEFve.jpg"} << "no picture";
  BrokerMember broker;
  const auto sink = start_sink(broker.endpoint(), folder.path() / "store");
  const auto worker = start_worker(broker.endpoint());
  const auto producer = start_producer(broker.endpoint(), pictures.string(), "stub");
  CHECK(producer->exit_code() == exit_code::kSomeFailed);
  const auto lines = stored_lines(folder.path() / "store");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].at("reason") == "not_a_picture");
  check_books(*broker, *producer, folder.path() / "store");
}

TEST_CASE("detectors that are too long to travel are refused before anything is read") {
  const auto producer = start_producer("ipc:///nobody/there", "synthetic:?count=1&size=200x200",
                                       "stub?" + std::string(2000, 'x') + "=1");
  CHECK(producer->exit_code() == exit_code::kUsage);
  CHECK(producer->log().find("detect") != std::string::npos);
}

TEST_CASE("what no message can hold is refused before the network is touched") {
  const TemporaryFolder folder;
  const std::string nobody = "ipc:///nobody/there";
  const std::string long_name(300, 'n');
  const auto check_refused = [](const std::unique_ptr<Member>& member, const std::string& text) {
    CHECK(member->exit_code() == exit_code::kUsage);
    CHECK(member->log().find(text) != std::string::npos);
  };
  producer::ProducerOptions options;
  options.connect = nobody;
  options.detect = "stub";
  options.job = "test";
  options.sources = {"synthetic:?count=1&size=200x200"};
  auto named = options;
  named.name = long_name;
  check_refused(producer_of(named), "hello.name");
  auto of_long_job = options;
  of_long_job.job = long_name;
  check_refused(producer_of(of_long_job), "job");
  options.sources.clear();
  for (int i = 0; i < 300; ++i) {
    options.sources.push_back("synthetic:?count=1&size=200x200&camera=" + std::to_string(i));
  }
  check_refused(producer_of(options), "300 sources");
  worker::WorkerOptions worker;
  worker.connect = nobody;
  worker.slots = 1;
  worker.name = long_name;
  worker.isolation = worker::Isolation::none;
  check_refused(member_of<worker::Shell>("framefleet-worker", worker), "hello.name");
  sink::SinkOptions sink;
  sink.connect = nobody;
  sink.store = folder.path();
  sink.name = "na\xEFve";
  check_refused(member_of<sink::Shell>("framefleet-sink", sink), "hello.name");
}

TEST_CASE("what cannot be opened ends with its exit code and says why") {
  const TemporaryFolder folder;
  BrokerMember broker;
  BrokerMember second{broker_options(broker.endpoint())};
  CHECK(second->exit_code() == exit_code::kUnavailable);
  CHECK(second->log().find("another broker") != std::string::npos);
  CHECK(start_sink("nonsense", folder.path())->exit_code() == exit_code::kConfig);
  CHECK(start_producer(broker.endpoint(), "/nowhere/at/all.jpg", "stub")->exit_code() ==
        exit_code::kNoInput);
  const auto one = start_sink(broker.endpoint(), folder.path());
  REQUIRE(one->says("store_open"));
  CHECK(start_sink(broker.endpoint(), folder.path())->exit_code() == exit_code::kUnavailable);
}
