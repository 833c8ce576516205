#include "shared/telemetry/metrics.hpp"

#include "shared/base/assert.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>
#include <sstream>

namespace framefleet::telemetry {
namespace {

/// 1, 2, 5 per decade: fine enough for a p99, few enough for every stage to have its own.
using Boundaries = prometheus::Histogram::BucketBoundaries;

const Boundaries& seconds_of(Buckets buckets) {
  static const Boundaries fine{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2,
                               0.5,   1,     2,     5,    10,   20,   50,  100};
  static const Boundaries brief{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5};
  static const Boundaries coarse{0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10};
  switch (buckets) {
    case Buckets::fine:
      return fine;
    case Buckets::brief:
      return brief;
    case Buckets::coarse:
      break;
  }
  return coarse;
}

std::vector<prometheus::ClientMetric::Label> label_list(const MetricLabels& labels) {
  std::vector<prometheus::ClientMetric::Label> list;
  for (const auto& [name, value] : labels) list.push_back({name, value});
  return list;
}

prometheus::ClientMetric metric_row(MetricKind kind, const MetricLabels& labels, double value) {
  prometheus::ClientMetric metric;
  metric.label = label_list(labels);
  (kind == MetricKind::counter ? metric.counter.value : metric.gauge.value) = value;
  return metric;
}

bool is_well_named(const std::string& name, prometheus::MetricType type) {
  const bool ours = name.starts_with("framefleet_") || name.starts_with("process_");
  const bool clean = std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
  return ours && clean && name.ends_with("_total") == (type == prometheus::MetricType::Counter);
}

}  // namespace

DurationHistogram::DurationHistogram(Buckets buckets) : histogram_(seconds_of(buckets)) {}

void MetricRows::add(const MetricLabels& labels, double value) {
  if (rows_.size() < kRowsMax) {
    rows_.push_back(metric_row(kind_, labels, value));
    return;
  }
  MetricLabels others;
  for (const auto& [name, ignored] : labels) others[name] = "other";
  others_[others] += value;
}

std::vector<prometheus::ClientMetric> MetricRows::take() {
  for (const auto& [labels, value] : others_) rows_.push_back(metric_row(kind_, labels, value));
  others_.clear();
  return std::move(rows_);
}

void DurationRows::observe(const std::string& value, Duration duration) {
  const std::lock_guard lock(mutex_);
  const bool full = rows_.size() >= kRowsMax && !rows_.contains(value);
  rows_.try_emplace(full ? "other" : value, buckets_).first->second.observe(duration);
}

void DurationRows::forget(const std::string& value) {
  const std::lock_guard lock(mutex_);
  rows_.erase(value);
}

std::vector<prometheus::ClientMetric> DurationRows::collect() const {
  const std::lock_guard lock(mutex_);
  std::vector<prometheus::ClientMetric> metrics;
  for (const auto& [value, histogram] : rows_) {
    metrics.push_back(histogram.collect());
    metrics.back().label = {{label_, value}};
  }
  return metrics;
}

std::size_t MetricFamilies::add_family(const std::string& name, const std::string& help,
                                       prometheus::MetricType type) {
  FRAMEFLEET_ASSERT(is_well_named(name, type));
  for (std::size_t i = 0; i < families_.size(); ++i) {
    if (families_[i].name != name) continue;
    FRAMEFLEET_ASSERT(families_[i].type == type && families_[i].help == help);
    return i;
  }
  prometheus::MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  families_.push_back(std::move(family));
  return families_.size() - 1;
}

MetricFamilies::Place MetricFamilies::add(const std::string& name, const std::string& help,
                                          prometheus::MetricType type, const MetricLabels& labels) {
  const std::size_t family = add_family(name, help, type);
  auto& rows = families_[family].metric;
  prometheus::ClientMetric row;
  row.label = label_list(labels);
  FRAMEFLEET_ASSERT(std::ranges::none_of(
      rows, [&](const prometheus::ClientMetric& other) { return other.label == row.label; }));
  rows.push_back(std::move(row));
  return {family, rows.size() - 1};
}

std::string metrics_text(const std::vector<std::shared_ptr<prometheus::Collectable>>& sources) {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& source : sources) {
    auto collected = source->Collect();
    std::ranges::move(collected, std::back_inserter(families));
  }
  std::ostringstream text;
  prometheus::TextSerializer{}.Serialize(text, families);
  return text.str();
}

}  // namespace framefleet::telemetry
