#include "shared/telemetry/metrics.hpp"

#include "tests/support/catch.hpp"

#include "shared/config/version.hpp"
#include "shared/telemetry/process_metrics.hpp"

#include <array>
#include <sstream>

using namespace framefleet;
using namespace framefleet::telemetry;
using namespace std::chrono_literals;

namespace {

/// The worked example: what a `*_metrics` class of a process looks like.
struct DockStats {
  std::uint64_t landed{0};
  double waiting{0};
  std::array<std::uint64_t, 2> lost{};
  std::map<std::string, double> by_source;
};

class DockMetrics {
 public:
  DockMetrics() : table_(std::make_shared<MetricTable<DockStats>>()) {
    table_->counter("framefleet_dock_landed_tasks_total", "Tasks that landed.",
                    [](const DockStats& s) { return static_cast<double>(s.landed); });
    table_->gauge("framefleet_dock_waiting_tasks", "Tasks that wait.",
                  [](const DockStats& s) { return s.waiting; });
    const std::array<std::string, 2> reasons{"fog", "storm"};
    for (std::size_t i = 0; i < reasons.size(); ++i) {
      table_->counter("framefleet_dock_lost_tasks_total", "Tasks that were lost.",
                      [i](const DockStats& s) { return static_cast<double>(s.lost[i]); },
                      {{"reason", reasons[i]}});
    }
    table_->rows("framefleet_dock_source_tasks", "Tasks of each source.", MetricKind::gauge,
                 [](const DockStats& s, MetricRows& rows) {
                   for (const auto& [source, n] : s.by_source) rows.add({{"source", source}}, n);
                 });
    stay_ = &table_->durations("framefleet_dock_stay_seconds", "Landing to leaving.",
                               {{"stage", "dock"}});
  }

  void publish(DockStats stats) { table_->publish(std::move(stats)); }
  void stayed(Duration duration) { stay_->observe(duration); }
  std::shared_ptr<prometheus::Collectable> source() const { return table_; }

 private:
  std::shared_ptr<MetricTable<DockStats>> table_;
  DurationHistogram* stay_;
};

/// The number behind `series`, or -1 where the text has no such line.
double value_of(const std::string& text, const std::string& series) {
  std::istringstream lines{text};
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with(series + " ")) return std::stod(line.substr(series.size() + 1));
  }
  return -1;
}

}  // namespace

TEST_CASE("before anything is published every fixed series is there at 0") {
  const DockMetrics metrics;
  const auto text = metrics_text({metrics.source()});
  CHECK(value_of(text, "framefleet_dock_landed_tasks_total") == 0);
  CHECK(value_of(text, "framefleet_dock_lost_tasks_total{reason=\"fog\"}") == 0);
  CHECK(value_of(text, "framefleet_dock_stay_seconds_count{stage=\"dock\"}") == 0);
  CHECK(text.find("# HELP framefleet_dock_landed_tasks_total Tasks that landed.\n") !=
        std::string::npos);
  CHECK(text.find("# TYPE framefleet_dock_waiting_tasks gauge\n") != std::string::npos);
}

TEST_CASE("a scrape shows what was last published") {
  DockMetrics metrics;
  metrics.publish({.landed = 5, .waiting = 2, .lost = {1, 3}, .by_source = {{"north", 4}}});
  auto text = metrics_text({metrics.source()});
  CHECK(value_of(text, "framefleet_dock_landed_tasks_total") == 5);
  CHECK(value_of(text, "framefleet_dock_waiting_tasks") == 2);
  CHECK(value_of(text, "framefleet_dock_lost_tasks_total{reason=\"storm\"}") == 3);
  CHECK(value_of(text, "framefleet_dock_source_tasks{source=\"north\"}") == 4);

  metrics.publish({.landed = 6});
  text = metrics_text({metrics.source()});
  CHECK(value_of(text, "framefleet_dock_landed_tasks_total") == 6);
  CHECK(value_of(text, "framefleet_dock_source_tasks{source=\"north\"}") == -1);
}

TEST_CASE("one name is one family, however many label sets it has") {
  const DockMetrics metrics;
  const auto text = metrics_text({metrics.source()});
  const std::string type = "# TYPE framefleet_dock_lost_tasks_total";
  CHECK(text.find(type) != std::string::npos);
  CHECK(text.find(type) == text.rfind(type));
}

TEST_CASE("durations land in buckets of seconds from 1 ms to 100 s") {
  DockMetrics metrics;
  metrics.stayed(3ms);
  metrics.stayed(50s);
  metrics.stayed(300s);
  const auto text = metrics_text({metrics.source()});
  const std::string bucket = "framefleet_dock_stay_seconds_bucket{stage=\"dock\",le=";
  CHECK(value_of(text, bucket + "\"0.001\"}") == 0);
  CHECK(value_of(text, bucket + "\"0.005\"}") == 1);
  CHECK(value_of(text, bucket + "\"100\"}") == 2);
  CHECK(value_of(text, bucket + "\"+Inf\"}") == 3);
  CHECK(value_of(text, "framefleet_dock_stay_seconds_sum{stage=\"dock\"}") == Approx(350.003));
}

TEST_CASE("rows past the cap are added up as other") {
  MetricRows rows{MetricKind::counter};
  for (std::size_t i = 0; i < MetricRows::kRowsMax + 10; ++i) {
    rows.add({{"source", std::to_string(i)}}, 2);
  }
  const auto taken = rows.take();
  REQUIRE(taken.size() == MetricRows::kRowsMax + 1);
  CHECK(taken.back().label.front().value == "other");
  CHECK(taken.back().counter.value == 20);
}

TEST_CASE("every process says its build, memory, CPU time, start and open files") {
  const auto text = metrics_text({std::make_shared<ProcessMetrics>("sample")});
  CHECK(value_of(text, "framefleet_build_info{build=\"" + std::string(config::build()) +
                           "\",process=\"sample\",version=\"" + std::string(config::version()) +
                           "\"}") == 1);
  CHECK(value_of(text, "process_resident_memory_bytes") > 1'000'000);
  CHECK(value_of(text, "process_virtual_memory_bytes") >
        value_of(text, "process_resident_memory_bytes"));
  CHECK(value_of(text, "process_cpu_seconds_total") >= 0);
  CHECK(value_of(text, "process_start_time_seconds") > 1'767'225'600);  // 2026-01-01
  CHECK(value_of(text, "process_open_fds") >= 3);
  CHECK(value_of(text, "process_max_fds") >= value_of(text, "process_open_fds"));
}
