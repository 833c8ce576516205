#include "worker/worker_metrics.hpp"

#include "worker/detectors/registry.hpp"
#include "worker/pool/child_end.hpp"

namespace framefleet::worker {
namespace {

/// What a pool can give a task back for.
bool may_fail(const ReasonEntry& row) {
  return row.charge == Charge::failed || row.charge == Charge::final;
}

}  // namespace

WorkerMetrics::WorkerMetrics(const std::vector<std::string>& detectors)
    : table_(std::make_shared<telemetry::MetricTable<WorkerStats>>()),
      detectors_(detectors.begin(), detectors.end()) {
  auto& t = *table_;
  using Stats = WorkerStats;
  const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
  t.gauge("framefleet_worker_link_up", "1 while the broker is connected.",
          [](const Stats& s) { return s.session.link_up ? 1.0 : 0.0; });
  t.counter("framefleet_worker_link_losses_total", "Connections lost.",
            [=](const Stats& s) { return number(s.session.link_losses); });
  t.gauge("framefleet_worker_draining", "1 while it finishes what it has, to leave.",
          [](const Stats& s) { return s.session.draining ? 1.0 : 0.0; });
  t.gauge("framefleet_worker_slots", "Tasks this worker can run at once.",
          [=](const Stats& s) { return number(s.slots); });
  const auto state = [&](const char* name, std::uint64_t SessionStats::*field) {
    t.gauge("framefleet_worker_tasks", "Tasks in this worker's hands, by state.",
            [=](const Stats& s) { return number(s.session.*field); }, {{"state", name}});
  };
  state("queued", &SessionStats::queued);
  state("running", &SessionStats::running);
  state("abandoned", &SessionStats::abandoned);
  state("unsettled", &SessionStats::unsettled);
  t.counter("framefleet_worker_results_total", "Results sent.",
            [=](const Stats& s) { return number(s.session.finished); });
  t.counter("framefleet_worker_stale_results_total",
            "Results and runs that were not wanted any more.",
            [=](const Stats& s) { return number(s.session.stale); });
  t.counter("framefleet_worker_damaged_pictures_total", "Pictures decoded as far as they went.",
            [=](const Stats& s) { return number(s.damaged); });
  t.rows("framefleet_worker_failed_tasks_total", "Tasks given back, by reason.",
         telemetry::MetricKind::counter, [=](const Stats& s, telemetry::MetricRows& rows) {
           auto counts = s.failed;
           for (const auto& row : reason_table()) {
             if (may_fail(row)) counts.try_emplace(row.reason, 0);
           }
           for (const auto& [reason, count] : counts) {
             rows.add({{"reason", std::string(to_string(reason))}}, number(count));
           }
         });
  t.gauge("framefleet_worker_child_processes", "Child processes able to work.",
          [=](const Stats& s) { return number(s.pool.children); });
  t.rows("framefleet_worker_ended_child_processes_total", "Child processes that ended, by reason.",
         telemetry::MetricKind::counter, [=](const Stats& s, telemetry::MetricRows& rows) {
           for (const auto cause : end_cause::kAll) {
             const auto found = s.pool.ends.find(cause);
             rows.add({{"reason", std::string(cause)}},
                      found == s.pool.ends.end() ? 0 : number(found->second));
           }
         });
  t.rows("framefleet_worker_ended_zygote_processes_total",
         "Processes that child processes are born from that ended, by reason.",
         telemetry::MetricKind::counter, [=](const Stats& s, telemetry::MetricRows& rows) {
           for (const auto cause : zygote_end::kAll) {
             const auto found = s.pool.zygote_ends.find(cause);
             rows.add({{"reason", std::string(cause)}},
                      found == s.pool.zygote_ends.end() ? 0 : number(found->second));
           }
         });
  t.counter("framefleet_worker_denied_system_calls_total",
            "System calls that the sandbox refused to child processes.",
            [=](const Stats& s) { return number(s.pool.denied_syscalls); });
  t.gauge("framefleet_worker_child_memory_bytes",
          "Memory of a child process, in the mean, shared pages counted in parts (Pss).",
          [=](const Stats& s) { return number(s.pool.child_memory); });
  t.gauge("framefleet_worker_child_memory_peak_bytes",
          "Most memory that a child process which lives has had resident.",
          [=](const Stats& s) { return number(s.pool.child_memory_peak); });
  t.rows("framefleet_worker_refused_models",
         "Models of this detector that turned out bad at start; while there are any it is not "
         "offered.",
         telemetry::MetricKind::gauge, [=](const Stats& s, telemetry::MetricRows& rows) {
           for (const auto& detector : detectors_with_models()) {
             const auto found = s.refused_models.find(detector);
             rows.add({{"detector", detector}},
                      found == s.refused_models.end() ? 0 : number(found->second));
           }
         });
  t.rows("framefleet_worker_self_test_failed",
         "1 where the latest self-test of the detector on a picture of this format failed.",
         telemetry::MetricKind::gauge, [](const Stats& s, telemetry::MetricRows& rows) {
           for (const auto& test : s.self_tests) {
             rows.add({{"detector", test.detector}, {"format", test.format}}, test.failed ? 1 : 0);
           }
         });
  t.rows("framefleet_worker_self_tests_total", "Self-tests run.", telemetry::MetricKind::counter,
         [=](const Stats& s, telemetry::MetricRows& rows) {
           for (const auto& test : s.self_tests) {
             rows.add({{"detector", test.detector}, {"format", test.format}}, number(test.runs));
           }
         });
  decode_ = &t.durations("framefleet_worker_decode_seconds", "Image gate and decoder.");
  annotate_ = &t.durations("framefleet_worker_annotate_seconds", "Drawing and encoding pictures.");
  detect_ = &t.duration_rows("framefleet_worker_detect_seconds", "One detector, one picture.",
                             "detector", telemetry::Buckets::fine);
}

void WorkerMetrics::observe(const ResultRecord& record) {
  decode_->observe(record.decode);
  if (!record.artefacts.empty()) annotate_->observe(record.annotate);
  for (const auto& report : record.reports) {
    if (detectors_.contains(report.detector)) detect_->observe(report.detector, report.elapsed);
  }
}

}  // namespace framefleet::worker
