#pragma once
// The producer's numbers for Prometheus (docs/METRICS.md).

#include "producer/core/submission.hpp"

#include "shared/telemetry/metrics.hpp"

#include <memory>

namespace framefleet::producer {

class ProducerMetrics {
 public:
  ProducerMetrics();

  void publish(SubmissionStats stats) { table_->publish(stats); }
  /// One picture was read (from a disk, a video, a synthetic camera).
  void read(Duration elapsed) { read_->observe(elapsed); }
  void observe(const TaskAdmitted& admitted) { submit_->observe(admitted.after); }
  void observe(const TaskEnded& ended) {
    if (ended.total > Duration::zero()) total_->observe(ended.total);
  }
  std::shared_ptr<prometheus::Collectable> source() const { return table_; }

 private:
  std::shared_ptr<telemetry::MetricTable<SubmissionStats>> table_;
  telemetry::DurationHistogram* read_;
  telemetry::DurationHistogram* submit_;
  telemetry::DurationHistogram* total_;
};

}  // namespace framefleet::producer
