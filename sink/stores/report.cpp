#include "sink/stores/report.hpp"

#include "sink/stores/database.hpp"
#include "sink/stores/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

namespace framefleet::sink {
namespace {

std::size_t index_of(std::string_view status) {
  for (std::size_t i = 0; i < kStatusCount; ++i) {
    if (to_string(static_cast<Status>(i)) == status) return i;
  }
  return 0;
}

/// Each reader returns false after an error.
bool read_counts(Database& database, const std::string& job, Report& report) {
  Statement counts(database,
                   "SELECT status, count(*), sum(damaged) FROM outcomes "
                   "WHERE ?1 = '' OR job = ?1 GROUP BY status");
  if (!counts.start(job)) return false;
  while (counts.next()) {
    report.by_status[index_of(counts.text(0))] += static_cast<std::uint64_t>(counts.integer(1));
    report.damaged += static_cast<std::uint64_t>(counts.integer(2));
  }
  if (counts.failed()) return false;
  Statement gaps(database,
                 "SELECT status, sum(last - first + 1) FROM gaps "
                 "WHERE ?1 = '' OR job = ?1 GROUP BY status");
  if (!gaps.start(job)) return false;
  while (gaps.next()) {
    report.by_status[index_of(gaps.text(0))] += static_cast<std::uint64_t>(gaps.integer(1));
  }
  return !gaps.failed();
}

bool read_failed(Database& database, const std::string& job, std::size_t failed_max,
                 Report& report) {
  Statement failed(database,
                   "SELECT task, origin, reason, text FROM outcomes "
                   "WHERE (?1 = '' OR job = ?1) AND status = 'failed' ORDER BY id LIMIT ?2");
  if (!failed.start(job, std::uint64_t{failed_max})) return false;
  while (failed.next()) {
    report.failed.push_back({std::string(failed.text(0)), std::string(failed.text(1)),
                             std::string(failed.text(2)), std::string(failed.text(3))});
  }
  report.failed_total = report.count(Status::failed);
  return !failed.failed();
}

bool read_times(Database& database, const std::string& job, Report& report) {
  Statement times(database,
                  "SELECT min(stored_at), max(stored_at), "
                  "round((julianday(max(stored_at)) - julianday(min(stored_at))) * 86400000.0) "
                  "FROM outcomes WHERE ?1 = '' OR job = ?1");
  if (!times.start(job)) return false;
  if (times.next()) {
    report.first_stored_at = times.text(0);
    report.last_stored_at = times.text(1);
    report.wall = std::chrono::milliseconds(static_cast<std::int64_t>(times.real(2)));
  }
  return !times.failed();
}

bool read_pictures(Database& database, const std::string& job, Report& report) {
  Statement pictures(database,
                     "SELECT count(*) FROM picture_rows p JOIN outcomes o ON o.id = p.outcome "
                     "WHERE ?1 = '' OR o.job = ?1");
  if (!pictures.start(job)) return false;
  if (pictures.next()) report.pictures = static_cast<std::uint64_t>(pictures.integer(0));
  return !pictures.failed();
}

/// Requires: there is one.
double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// The value that `share` of the sorted values do not exceed (nearest rank).
double percentile(const std::vector<double>& sorted, double share) {
  const auto rank = std::ceil(share * static_cast<double>(sorted.size()));
  const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return sorted[std::min(index, sorted.size() - 1)];
}

DetectorSummary summarise(std::string detector, std::uint64_t detections,
                          const std::vector<double>& sorted_ms) {
  return {std::move(detector), sorted_ms.size(),           detections,
          mean_of(sorted_ms),  percentile(sorted_ms, 0.5), percentile(sorted_ms, 0.95)};
}

bool read_detectors(Database& database, const std::string& job,
                    std::vector<DetectorSummary>& detectors) {
  Statement runs(database,
                 "SELECT r.detector, r.elapsed * 1000.0, "
                 "(SELECT count(*) FROM detection_rows d WHERE d.run = r.id) "
                 "FROM detector_run_rows r JOIN outcomes o ON o.id = r.outcome "
                 "WHERE ?1 = '' OR o.job = ?1 ORDER BY r.detector, r.elapsed");
  if (!runs.start(job)) return false;
  std::string detector;
  std::uint64_t detections = 0;
  std::vector<double> sorted_ms;
  const auto finish_detector = [&] {
    if (!sorted_ms.empty()) detectors.push_back(summarise(detector, detections, sorted_ms));
    sorted_ms.clear();
    detections = 0;
  };
  while (runs.next()) {
    if (runs.text(0) != detector) {
      finish_detector();
      detector = runs.text(0);
    }
    sorted_ms.push_back(runs.real(1));
    detections += static_cast<std::uint64_t>(runs.integer(2));
  }
  finish_detector();
  return !runs.failed();
}

/// `column`: of those that hold seconds of work. Where nothing took any, it is left out.
bool read_work(Database& database, const std::string& job, const char* column,
               WorkSummary& summary) {
  Statement work(database, fmt::format("SELECT {0} * 1000.0 FROM outcomes WHERE (?1 = '' OR "
                                       "job = ?1) AND {0} > 0 ORDER BY {0}",
                                       column));
  if (!work.start(job)) return false;
  std::vector<double> sorted_ms;
  while (work.next()) sorted_ms.push_back(work.real(0));
  if (!sorted_ms.empty()) {
    summary = {sorted_ms.size(), mean_of(sorted_ms), percentile(sorted_ms, 0.95)};
  }
  return !work.failed();
}

bool read_megapixels(Database& database, const std::string& job, double& megapixels) {
  Statement sizes(database,
                  "SELECT coalesce(avg(width * height), 0) / 1000000.0 FROM outcomes "
                  "WHERE (?1 = '' OR job = ?1) AND worked > 0");
  if (!sizes.start(job)) return false;
  if (sizes.next()) megapixels = sizes.real(0);
  return !sizes.failed();
}

}  // namespace

std::uint64_t Report::total() const {
  return std::accumulate(by_status.begin(), by_status.end(), std::uint64_t{0});
}

Result<Report, Error> read_report(const std::filesystem::path& database, const std::string& job,
                                  std::size_t failed_max) {
  auto opened = open_to_read(database);
  if (!opened) return fail(opened.error());
  auto& reading = **opened;
  Report report;
  // One transaction, so that all numbers are of the same moment.
  const bool done = reading.execute("BEGIN") && read_counts(reading, job, report) &&
                    read_failed(reading, job, failed_max, report) &&
                    read_times(reading, job, report) && read_pictures(reading, job, report) &&
                    read_detectors(reading, job, report.detectors);
  if (!done) return fail(unreadable(database, reading.error()));
  return report;
}

Result<Cost, Error> read_cost(const std::filesystem::path& database, const std::string& job) {
  auto opened = open_to_read(database);
  if (!opened) return fail(opened.error());
  auto& reading = **opened;
  Cost cost;
  const bool done = reading.execute("BEGIN") && read_work(reading, job, "worked", cost.all) &&
                    read_work(reading, job, "decode", cost.decode) &&
                    read_work(reading, job, "annotate", cost.annotate) &&
                    read_megapixels(reading, job, cost.megapixels) &&
                    read_detectors(reading, job, cost.detectors);
  if (!done) return fail(unreadable(database, reading.error()));
  return cost;
}

Result<std::uint64_t, Error> stored_count(const std::filesystem::path& database,
                                          const std::string& job) {
  auto opened = open_to_read(database);
  if (!opened) return fail(opened.error());
  Statement count(
      **opened,
      "SELECT (SELECT count(*) FROM outcomes WHERE ?1 = '' OR job = ?1) + "
      "(SELECT coalesce(sum(last - first + 1), 0) FROM gaps WHERE ?1 = '' OR job = ?1)");
  if (!count.start(job) || !count.next()) return fail(unreadable(database, (*opened)->error()));
  return static_cast<std::uint64_t>(count.integer(0));
}

}  // namespace framefleet::sink
