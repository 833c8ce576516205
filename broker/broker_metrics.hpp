#pragma once
// The broker's numbers for Prometheus (docs/METRICS.md).

#include "broker/core/dispatcher.hpp"
#include "broker/journal_link.hpp"

#include "shared/telemetry/metrics.hpp"
#include "shared/transport/hub.hpp"

#include <memory>

namespace framefleet::broker {

struct BrokerStats {
  DispatcherStats dispatcher;
  transport::HubStats hub;
  JournalLinkStats journal;  ///< All 0 without one.
};

class BrokerMetrics {
 public:
  BrokerMetrics();

  void publish(BrokerStats stats) { table_->publish(std::move(stats)); }
  void observe(const LeaseClosed& closed);
  void observe(const TaskSettled& settled);
  void observe_commit(Duration time) { commit_->observe(time); }
  std::shared_ptr<prometheus::Collectable> source() const { return table_; }

 private:
  std::shared_ptr<telemetry::MetricTable<BrokerStats>> table_;
  telemetry::DurationHistogram* queued_;
  telemetry::DurationHistogram* leased_;
  telemetry::DurationHistogram* total_;
  telemetry::DurationHistogram* commit_;
};

}  // namespace framefleet::broker
