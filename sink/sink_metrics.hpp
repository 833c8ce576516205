#pragma once
// The sink's numbers for Prometheus (docs/METRICS.md).

#include "sink/core/intake.hpp"
#include "sink/stores/store_thread.hpp"

#include "shared/telemetry/metrics.hpp"

#include <memory>

namespace framefleet::sink {

struct SinkStats {
  IntakeStats intake;
  StoreThreadStatus store;
};

class SinkMetrics {
 public:
  SinkMetrics();

  void publish(SinkStats stats) { table_->publish(std::move(stats)); }
  /// A batch was committed, this long after it was given to the store.
  void committed(Duration elapsed) { commit_->observe(elapsed); }
  std::shared_ptr<prometheus::Collectable> source() const { return table_; }

 private:
  std::shared_ptr<telemetry::MetricTable<SinkStats>> table_;
  telemetry::DurationHistogram* commit_;
};

}  // namespace framefleet::sink
