#pragma once
// What a `*_metrics.cpp` is made of: a table of metrics over one struct of numbers.
//
//   struct BrokerStats { std::uint64_t admitted; std::size_t backlog; std::map<std::string, …>
//   by_source; };
//
//   BrokerMetrics::BrokerMetrics() : table_(std::make_shared<MetricTable<BrokerStats>>()) {
//     table_->counter("framefleet_broker_admitted_tasks_total", "Tasks admitted.",
//                     [](const BrokerStats& s) { return double(s.admitted); });
//     for (const auto& row : reason_table()) {
//       table_->counter("framefleet_broker_nacked_tasks_total", "Tasks given back by workers.",
//                       [r = row.reason](const BrokerStats& s) { return double(s.nacked[index(r)]);
//                       },
//                       {{"reason", std::string(row.code)}});
//     }
//     table_->rows("framefleet_broker_source_backlog_tasks", "…", MetricKind::gauge,
//                  [](const BrokerStats& s, MetricRows& rows) { … rows.add({{"source", name}}, n);
//                  });
//     wait_ = &table_->durations("framefleet_broker_wait_seconds", "Admitted to assigned.");
//   }
//
// The loop publishes its stats once per turn and feeds the histograms from its effects; a scrape
// copies them and never holds the loop up. Families and fixed label sets are made once, in the
// constructor. Threads: the constructor's until the table is given to HttpServer::add; then the
// loop publishes and observes while the server collects.

#include "shared/base/time.hpp"
#include "shared/telemetry/snapshot.hpp"

#include <prometheus/collectable.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace framefleet::telemetry {

using MetricLabels = std::map<std::string, std::string>;
enum class MetricKind : std::uint8_t { counter, gauge };

/// Sixteen from 1 ms to 100 s; twelve of these, to 5 s, of what is at fault long before; or nine
/// from 20 ms to 10 s, of what there is much. One more has what is beyond.
enum class Buckets : std::uint8_t { fine, brief, coarse };

/// Durations in buckets, exported in seconds.
class DurationHistogram {
 public:
  explicit DurationHistogram(Buckets buckets = Buckets::fine);
  void observe(Duration duration) { histogram_.Observe(seconds(duration)); }
  prometheus::ClientMetric collect() const { return histogram_.Collect(); }

 private:
  prometheus::Histogram histogram_;
};

/// Rows of one family whose labels are known at the scrape alone (sources that come and go).
/// Capped: rows past the cap are added up under the value "other" of their labels.
class MetricRows {
 public:
  static constexpr std::size_t kRowsMax = 256;

  explicit MetricRows(MetricKind kind) : kind_(kind) {}
  void add(const MetricLabels& labels, double value);
  std::vector<prometheus::ClientMetric> take();

 private:
  MetricKind kind_;
  std::vector<prometheus::ClientMetric> rows_;
  std::map<MetricLabels, double> others_;
};

/// Durations by a label whose values are known when they are observed (sources that come and go): a
/// histogram each. Past the cap what is new counts as "other". Threads: any.
class DurationRows {
 public:
  static constexpr std::size_t kRowsMax = 200;

  DurationRows(std::string label, Buckets buckets) : label_(std::move(label)), buckets_(buckets) {}
  void observe(const std::string& value, Duration duration);
  /// The histogram of this value goes.
  void forget(const std::string& value);
  std::vector<prometheus::ClientMetric> collect() const;

 private:
  const std::string label_;
  const Buckets buckets_;
  mutable std::mutex mutex_;
  std::map<std::string, DurationHistogram> rows_;
};

/// The families of a table with their label sets, as they are before any value is filled in.
/// Asserts that a name is `framefleet_…` or `process_…`, that a counter ends in `_total`, and that
/// a name has one kind and one help.
class MetricFamilies {
 public:
  struct Place {
    std::size_t family;
    std::size_t row;
  };
  Place add(const std::string& name, const std::string& help, prometheus::MetricType type,
            const MetricLabels& labels);
  /// A family without fixed rows.
  std::size_t add_family(const std::string& name, const std::string& help,
                         prometheus::MetricType type);
  const std::vector<prometheus::MetricFamily>& families() const { return families_; }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

template <class Stats>
class MetricTable : public prometheus::Collectable {
 public:
  using Read = std::function<double(const Stats&)>;
  using ReadRows = std::function<void(const Stats&, MetricRows&)>;

  void counter(const std::string& name, const std::string& help, Read read,
               const MetricLabels& labels = {}) {
    values_.push_back({families_.add(name, help, prometheus::MetricType::Counter, labels),
                       MetricKind::counter, std::move(read)});
  }
  void gauge(const std::string& name, const std::string& help, Read read,
             const MetricLabels& labels = {}) {
    values_.push_back({families_.add(name, help, prometheus::MetricType::Gauge, labels),
                       MetricKind::gauge, std::move(read)});
  }
  void rows(const std::string& name, const std::string& help, MetricKind kind, ReadRows read) {
    const auto type = kind == MetricKind::counter ? prometheus::MetricType::Counter
                                                  : prometheus::MetricType::Gauge;
    rows_.push_back({families_.add_family(name, help, type), kind, std::move(read)});
  }
  /// The histogram lives as long as the table.
  DurationHistogram& durations(const std::string& name, const std::string& help,
                               const MetricLabels& labels = {}, Buckets buckets = Buckets::fine) {
    histograms_.push_back({families_.add(name, help, prometheus::MetricType::Histogram, labels),
                           std::make_unique<DurationHistogram>(buckets)});
    return *histograms_.back().histogram;
  }

  /// Lives as long as the table.
  DurationRows& duration_rows(const std::string& name, const std::string& help,
                              const std::string& label, Buckets buckets) {
    duration_rows_.push_back({families_.add_family(name, help, prometheus::MetricType::Histogram),
                              std::make_unique<DurationRows>(label, buckets)});
    return *duration_rows_.back().rows;
  }

  void publish(Stats stats) { stats_.publish(std::move(stats)); }

  std::vector<prometheus::MetricFamily> Collect() const override {
    const Stats stats = stats_.copy();
    auto families = families_.families();
    for (const auto& [place, kind, read] : values_) {
      auto& metric = families[place.family].metric[place.row];
      (kind == MetricKind::counter ? metric.counter.value : metric.gauge.value) = read(stats);
    }
    for (const auto& [family, kind, read] : rows_) {
      MetricRows rows{kind};
      read(stats, rows);
      families[family].metric = rows.take();
    }
    for (const auto& [place, histogram] : histograms_) {
      families[place.family].metric[place.row].histogram = histogram->collect().histogram;
    }
    for (const auto& [family, rows] : duration_rows_) families[family].metric = rows->collect();
    return families;
  }

 private:
  struct Value {
    MetricFamilies::Place place;
    MetricKind kind;
    Read read;
  };
  struct Rows {
    std::size_t family;
    MetricKind kind;
    ReadRows read;
  };
  struct Durations {
    MetricFamilies::Place place;
    std::unique_ptr<DurationHistogram> histogram;
  };

  struct LabelledDurations {
    std::size_t family;
    std::unique_ptr<DurationRows> rows;
  };

  MetricFamilies families_;
  std::vector<Value> values_;
  std::vector<Rows> rows_;
  std::vector<Durations> histograms_;
  std::vector<LabelledDurations> duration_rows_;
  Snapshot<Stats> stats_;
};

/// The text that /metrics serves.
std::string metrics_text(const std::vector<std::shared_ptr<prometheus::Collectable>>& sources);

}  // namespace framefleet::telemetry
