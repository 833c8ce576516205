#pragma once
// The broker's numbers for Prometheus (docs/METRICS.md).

#include "broker/core/dispatcher.hpp"

#include "shared/telemetry/metrics.hpp"
#include "shared/transport/hub.hpp"

#include <memory>

namespace framefleet::broker {

struct BrokerStats {
  DispatcherStats dispatcher;
  transport::HubStats hub;
};

class BrokerMetrics {
 public:
  BrokerMetrics();

  void publish(BrokerStats stats) { table_->publish(std::move(stats)); }
  void observe(const LeaseClosed& closed);
  void observe(const TaskSettled& settled);
  std::shared_ptr<prometheus::Collectable> source() const { return table_; }

 private:
  std::shared_ptr<telemetry::MetricTable<BrokerStats>> table_;
  telemetry::DurationHistogram* queued_;
  telemetry::DurationHistogram* leased_;
  telemetry::DurationHistogram* total_;
};

}  // namespace framefleet::broker
