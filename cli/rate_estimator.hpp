#pragma once
// How fast pictures are being done now, and how long the rest will take: a slope over the latest
// seconds. Pure; the time is handed in. Keeps at most kSamplesMax samples.

#include "shared/base/time.hpp"

#include <cstdint>
#include <deque>
#include <optional>

namespace framefleet::cli {

class RateEstimator {
 public:
  /// Long enough to ride out a picture of many seconds, short enough to notice a worker that left.
  static constexpr Duration kWindow = std::chrono::seconds(15);
  static constexpr std::size_t kSamplesMax = 128;

  /// `done` pictures are done at `now`. A count that goes back is taken as standing still.
  void observe(std::uint64_t done, Time now);

  /// Pictures per second over the window; nothing before two samples stand a moment apart.
  std::optional<double> per_second() const;

  /// Time that `left` pictures will take, in whole seconds, rounded up; nothing while none is being
  /// done.
  std::optional<Duration> remaining(std::uint64_t left) const;

 private:
  struct Sample {
    Time at;
    std::uint64_t done;
  };
  std::deque<Sample> samples_;
};

}  // namespace framefleet::cli
