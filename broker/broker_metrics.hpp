#pragma once
// The broker's numbers for Prometheus (docs/METRICS.md).

#include "broker/core/dispatcher.hpp"
#include "broker/guard.hpp"
#include "broker/journal_link.hpp"

#include "shared/telemetry/metrics.hpp"
#include "shared/transport/hub.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace framefleet::broker {

/// What is counted from the effects of the core.
struct EffectCounts {
  EffectCounts();  ///< Those that are to be expected are there from the start, with 0.

  std::map<std::pair<Status, Reason>, std::uint64_t> ends;  ///< Settled tasks.
  std::map<Reason, std::uint64_t> leases;                   ///< Closed; `none`: with a result.
  std::map<Reason, std::uint64_t> busy;                     ///< Tasks answered busy.
  std::map<Reason, std::uint64_t> rejected;                 ///< Tasks rejected.
  std::map<Reason, std::uint64_t> refused;                  ///< Peers refused.
};

struct BrokerStats {
  DispatcherStats dispatcher;
  transport::HubStats hub;
  GuardStats guard;
  JournalLinkStats journal;  ///< All 0 without one.
  std::uint64_t backlog_bytes_max{0};
  std::uint64_t unstored_bytes_max{0};
  EffectCounts effects;  ///< Filled in by BrokerMetrics.
};

class BrokerMetrics {
 public:
  BrokerMetrics();

  void publish(BrokerStats stats);
  void observe(const LeaseClosed& closed);
  void observe(const TaskSettled& settled);
  /// A message is on its way to a peer.
  void observe(const Message& message);
  void observe_commit(Duration time) { commit_->observe(time); }
  std::shared_ptr<prometheus::Collectable> source() const { return table_; }

 private:
  std::shared_ptr<telemetry::MetricTable<BrokerStats>> table_;
  EffectCounts counts_;
  std::set<std::string> live_sources_;  // published last
  telemetry::DurationRows* live_age_;
  telemetry::DurationHistogram* queued_;
  telemetry::DurationHistogram* transfer_;
  telemetry::DurationHistogram* storing_;
  telemetry::DurationHistogram* leased_;
  telemetry::DurationHistogram* total_;
  telemetry::DurationHistogram* commit_;
};

}  // namespace framefleet::broker
