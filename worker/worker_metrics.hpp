#pragma once
// The worker's numbers for Prometheus (docs/METRICS.md).

#include "worker/core/session.hpp"
#include "worker/pool/pool.hpp"
#include "worker/self_tester.hpp"

#include "shared/base/detection.hpp"
#include "shared/telemetry/metrics.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace framefleet::worker {

struct WorkerStats {
  SessionStats session;
  std::uint64_t slots{0};
  std::map<Reason, std::uint64_t> failed;  ///< By reason, of the pool.
  std::uint64_t damaged{0};                ///< Pictures decoded as far as they went.
  PoolStats pool;
  std::vector<SelfTestState> self_tests;
  /// By detector. For good: they are tried at start.
  std::map<std::string, std::uint64_t> refused_models;
};

class WorkerMetrics {
 public:
  /// `detectors`: those this worker offers. What else a child names has no row.
  explicit WorkerMetrics(const std::vector<std::string>& detectors);

  void publish(WorkerStats stats) { table_->publish(std::move(stats)); }
  /// A picture was worked on. A detector has its histogram from its first picture on: there are
  /// many, and most workers are asked for few.
  void observe(const ResultRecord& record);
  std::shared_ptr<prometheus::Collectable> source() const { return table_; }

 private:
  std::shared_ptr<telemetry::MetricTable<WorkerStats>> table_;
  telemetry::DurationHistogram* decode_;
  telemetry::DurationHistogram* annotate_;
  telemetry::DurationRows* detect_;
  std::set<std::string> detectors_;
};

}  // namespace framefleet::worker
