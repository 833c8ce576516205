#pragma once
// The reading side of results.sqlite: what a run ended as, and what its pictures cost. Opens the
// file with mode=ro and holds up nobody; may be called while a sink writes, from any process and
// thread. Errors: a missing file is exit code 66, one that cannot be read 74.

#include "shared/base/result.hpp"
#include "shared/base/task.hpp"
#include "shared/base/time.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace framefleet::sink {

struct FailedTask {
  std::string task;
  std::string origin;
  std::string reason;  ///< Code of the reason table.
  std::string text;
};

/// What one detector did. Times are those inside the detector.
struct DetectorSummary {
  std::string detector;
  std::uint64_t pictures{0};
  std::uint64_t detections{0};
  double mean_ms{0};
  double median_ms{0};  ///< Nearest rank.
  double p95_ms{0};     ///< Nearest rank.
};

struct Report {
  std::array<std::uint64_t, kStatusCount> by_status{};  ///< Indexed by Status; gaps included.
  std::uint64_t damaged{0};                             ///< Of those that are ok.
  std::vector<FailedTask> failed;                       ///< In the order of storing, capped …
  std::uint64_t failed_total{0};                        ///< … and how many there are.
  std::vector<DetectorSummary> detectors;               ///< By name. Pruned outcomes are not in it.
  std::uint64_t pictures{0};                            ///< Picture files kept.
  std::string first_stored_at;  ///< ISO 8601, UTC; "" when nothing is stored.
  std::string last_stored_at;
  Duration wall{};  ///< From the first to the last.

  std::uint64_t total() const;
  std::uint64_t count(Status status) const { return by_status[static_cast<std::size_t>(status)]; }
};

/// Seconds of work in workers, of what ended ok, in milliseconds a picture.
struct WorkSummary {
  std::uint64_t pictures{0};
  double mean_ms{0};
  double p95_ms{0};  ///< Nearest rank.
};

/// What pictures cost a worker.
struct Cost {
  double megapixels{0};  ///< Of a picture, in the mean.
  WorkSummary all;
  WorkSummary decode;    ///< Of all: checking and decoding.
  WorkSummary annotate;  ///< Of all: drawing and encoding; `pictures` counts those that took any.
  std::vector<DetectorSummary> detectors;  ///< By name.
};

/// The report of one job; an empty `job` means everything in the store.
Result<Report, Error> read_report(const std::filesystem::path& database, const std::string& job,
                                  std::size_t failed_max = 1000);

/// What the pictures of one job cost; an empty `job` means everything in the store.
Result<Cost, Error> read_cost(const std::filesystem::path& database, const std::string& job);

/// How many tasks of the job have an outcome; an empty `job` means everything in the store.
Result<std::uint64_t, Error> stored_count(const std::filesystem::path& database,
                                          const std::string& job);

}  // namespace framefleet::sink
