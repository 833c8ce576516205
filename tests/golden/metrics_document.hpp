#pragma once
// Metrics as two texts tell of them: what /metrics serves, and the tables of docs/METRICS.md.

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace framefleet::test {

struct MetricFamily {
  std::string type;
  std::string help;
  std::string unit;  ///< Of the document alone; "1" for a flag.
  /// By name, with their values; in the document none where they are known at run time only.
  std::map<std::string, std::set<std::string>> labels;
  std::size_t samples{0};  ///< Of the served text alone.
};

struct MetricsText {
  std::map<std::string, MetricFamily> families;
  std::vector<std::string> faults;  ///< What breaks the text format, in words.
};

/// Prometheus's text format 0.0.4. The label `le` of histograms is left out.
MetricsText parse_metrics_text(const std::string& text);

/// The rows "| `name` | type | unit | labels | meaning |" below each heading of the second level.
/// Labels are "`name` = value, value; `name`"; the first sentence of the meaning is the help.
std::map<std::string, std::map<std::string, MetricFamily>> read_metrics_document(
    const std::string& file);

}  // namespace framefleet::test
