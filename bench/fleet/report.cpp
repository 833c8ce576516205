#include "bench/fleet/report.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "bench/figures/quantiles.hpp"

namespace framefleet::bench {

std::string Report::text() const {
  return nlohmann::json{{"tasks", tasks},
                        {"begin_ns", begin_ns},
                        {"end_ns", end_ns},
                        {"fault", fault},
                        {"latency_us", latency_us}}
      .dump();
}

Result<Report, Error> Report::from(std::string_view text) {
  const auto said = nlohmann::json::parse(text, nullptr, false);
  if (!said.is_object()) return fail(Error{"the report of a part is no JSON"});
  Report report;
  report.tasks = said.value("tasks", report.tasks);
  report.begin_ns = said.value("begin_ns", report.begin_ns);
  report.end_ns = said.value("end_ns", report.end_ns);
  report.fault = said.value("fault", report.fault);
  report.latency_us = said.value("latency_us", report.latency_us);
  return report;
}

std::vector<double> tail_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return {quantile(values, 0.5), quantile(values, 0.99), quantile(values, 0.999)};
}

}  // namespace framefleet::bench
