// docs/METRICS.md against the metrics themselves: what every process serves is in the document,
// what the document has is served, with the same type, labels, values of labels and help.

#include "broker/broker_metrics.hpp"
#include "producer/producer_metrics.hpp"
#include "sink/sink_metrics.hpp"
#include "tests/golden/metrics_document.hpp"
#include "tests/support/catch.hpp"
#include "worker/pool/child_end.hpp"
#include "worker/worker_metrics.hpp"

#include "shared/telemetry/process_metrics.hpp"

#include <memory>
#include <regex>
#include <set>
#include <string>
#include <vector>

using namespace framefleet;
using test::MetricFamily;

namespace {

using Sources = std::vector<std::shared_ptr<prometheus::Collectable>>;

/// The text that a process serves, and the section of the document that lists it.
struct Served {
  std::string section;
  std::string text;
};

std::string broker_text() {
  broker::BrokerMetrics metrics;
  broker::BrokerStats stats;
  Account account;
  account.settled.fill(1);
  stats.dispatcher.by_source.emplace_back("photos", account);
  stats.dispatcher.live_sources.emplace_back("door", Duration{1});
  stats.dispatcher.unroutable.emplace_back("edges,faces", 1);
  AssignedTask frame;
  frame.source = "door";
  frame.task_class = TaskClass::live;
  metrics.observe(Message{Assign{{frame}}});
  metrics.observe(Message{Rejected{{{{}, Reason::conflict, ""}}}});
  metrics.observe(Message{Refused{Reason::standby, "", {}}});
  metrics.publish(stats);
  return telemetry::metrics_text({metrics.source()});
}

std::string worker_text() {
  worker::WorkerMetrics metrics{{"edges", "faces"}};
  ResultRecord record;
  record.reports.resize(1);
  record.reports.front().detector = "faces";
  metrics.observe(record);
  worker::WorkerStats stats;
  stats.failed[Reason::undecodable] = 1;
  for (const auto cause : worker::end_cause::kAll) stats.pool.ends[cause] = 1;
  for (const auto& test : worker::self_tests()) {
    stats.self_tests.push_back(
        {std::string(test.detector), std::string(word_of(test.format)), false, 1});
  }
  metrics.publish(stats);
  return telemetry::metrics_text({metrics.source()});
}

std::string producer_text() {
  producer::ProducerMetrics metrics;
  producer::ProducerStats stats;
  for (std::size_t i = 0; i < producer::kCameraStateCount; ++i) {
    stats.cameras.push_back({"gate", static_cast<producer::CameraState>(i), {}});
    stats.cameras.back().stats.silence = Duration{1};
  }
  metrics.publish(stats);
  return telemetry::metrics_text({metrics.source()});
}

std::string sink_text() {
  sink::SinkMetrics metrics;
  metrics.publish({});
  return telemetry::metrics_text({metrics.source()});
}

std::vector<Served> everything_served() {
  const Sources process{std::make_shared<telemetry::ProcessMetrics>("framefleet-broker")};
  return {{"Every process", telemetry::metrics_text(process)},
          {"framefleet-broker", broker_text()},
          {"framefleet-worker", worker_text()},
          {"framefleet-producer", producer_text()},
          {"framefleet-sink", sink_text()}};
}

template <class Value>
std::set<std::string> names_of(const std::map<std::string, Value>& by_name) {
  std::set<std::string> names;
  for (const auto& [name, value] : by_name) names.insert(name);
  return names;
}

}  // namespace

TEST_CASE("what the processes serve is what docs/METRICS.md says, in both directions") {
  const auto documented = test::read_metrics_document(FRAMEFLEET_SOURCE_DIR "/docs/METRICS.md");
  for (const auto& served : everything_served()) {
    INFO(served.section);
    REQUIRE(documented.contains(served.section));
    const auto& wanted = documented.at(served.section);
    const auto found = test::parse_metrics_text(served.text).families;
    CHECK(names_of(found) == names_of(wanted));
    for (const auto& [name, family] : found) {
      if (!wanted.contains(name)) continue;
      INFO(name);
      const auto& row = wanted.at(name);
      CHECK(family.type == row.type);
      CHECK(family.help == row.help);
      CHECK(names_of(family.labels) == names_of(row.labels));
      for (const auto& [label, values] : row.labels) {
        if (values.empty() || !family.labels.contains(label)) continue;
        CHECK(family.labels.at(label) == values);
      }
    }
  }
}

TEST_CASE("metrics are text that Prometheus reads: HELP and TYPE once before the samples") {
  for (const auto& served : everything_served()) {
    INFO(served.section);
    const auto parsed = test::parse_metrics_text(served.text);
    CHECK(parsed.faults == std::vector<std::string>{});
    for (const auto& [name, family] : parsed.families) {
      INFO(name);
      CHECK(family.samples > 0);
      CHECK_FALSE(family.help.empty());
      CHECK(family.help.ends_with('.'));
    }
  }
}

TEST_CASE("metrics are named framefleet_<process>_<noun>_<unit>[_total], in base units") {
  const std::regex clean{"[a-z]+(_[a-z]+)+"};
  // A worker, a task or a path as a label would be a new series for each of them.
  const std::set<std::string> allowed{"class",  "detector", "format",  "priority",
                                      "reason", "source",   "stage",   "state",
                                      "status", "build",    "process", "version"};
  for (const auto& [section, rows] :
       test::read_metrics_document(FRAMEFLEET_SOURCE_DIR "/docs/METRICS.md")) {
    const bool of_a_process = section.starts_with("framefleet-");
    const auto prefix = "framefleet_" + section.substr(section.find('-') + 1) + "_";
    for (const auto& [name, row] : rows) {
      INFO(name);
      CHECK(std::regex_match(name, clean));
      if (of_a_process) CHECK(name.starts_with(prefix));
      const bool counts = name.ends_with("_total");
      CHECK(counts == (row.type == "counter"));
      const auto noun = counts ? name.substr(0, name.size() - 6) : name;
      if (row.unit != "1") CHECK(noun.ends_with("_" + row.unit));
      if (row.type == "histogram") CHECK(row.unit == "seconds");
      for (const auto& [label, values] : row.labels) CHECK(allowed.contains(label));
    }
  }
}

TEST_CASE("a parser that finds no fault in broken metrics would prove nothing") {
  using Faults = std::vector<std::string>;
  const auto faults_of = [](const std::string& text) {
    return test::parse_metrics_text(text).faults;
  };
  CHECK(faults_of("# HELP a A.\n# TYPE a gauge\na 1\n") == Faults{});
  CHECK(faults_of("# TYPE a gauge\na 1\n") == Faults{"a: no HELP"});
  CHECK(faults_of("# HELP a A.\na 1\n") == Faults{"a: no TYPE before its samples"});
  CHECK(faults_of("# HELP a A.\n# TYPE a gauge\n# TYPE a gauge\na 1\n") == Faults{"a: TYPE twice"});
  CHECK(faults_of("# HELP a A.\n# TYPE a gauge\nb 1\n") == Faults{"b 1: no family's sample"});
  CHECK(faults_of("# HELP a A.\n# TYPE a gauge\na one\n") == Faults{"a one: no number"});
}
