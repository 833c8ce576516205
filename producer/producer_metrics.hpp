#pragma once
// The producer's numbers for Prometheus (docs/METRICS.md).

#include "producer/core/submission.hpp"
#include "producer/live_cameras.hpp"

#include "shared/telemetry/metrics.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace framefleet::producer {

struct ProducerStats {
  SubmissionStats submission;
  std::vector<CameraRow> cameras;
};

class ProducerMetrics {
 public:
  ProducerMetrics();

  void publish(ProducerStats stats) { table_->publish(std::move(stats)); }
  /// One picture was read (from a disk, a video, a synthetic camera).
  void read(Duration elapsed) { read_->observe(elapsed); }
  void observe(const TaskAdmitted& admitted) { submit_->observe(admitted.after); }
  void observe(const TaskEnded& ended) {
    if (ended.total > Duration::zero()) total_->observe(ended.total);
  }
  std::shared_ptr<prometheus::Collectable> source() const { return table_; }

 private:
  std::shared_ptr<telemetry::MetricTable<ProducerStats>> table_;
  telemetry::DurationHistogram* read_;
  telemetry::DurationHistogram* submit_;
  telemetry::DurationHistogram* total_;
};

}  // namespace framefleet::producer
