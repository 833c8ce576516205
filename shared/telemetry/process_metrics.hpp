#pragma once
// What every process says about itself: `framefleet_build_info` and Prometheus's standard
// `process_*` names (start time, memory, CPU seconds, open files), read from /proc/self at each
// scrape. A number that cannot be read is left out, never 0.

#include <prometheus/collectable.h>

#include <string>
#include <vector>

namespace framefleet::telemetry {

class ProcessMetrics : public prometheus::Collectable {
 public:
  /// `process` is the label of build_info: "framefleet-broker".
  explicit ProcessMetrics(std::string process);
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  std::string process_;
};

}  // namespace framefleet::telemetry
