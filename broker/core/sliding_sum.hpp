#pragma once
// A sum over the latest `window`, without its parts: sixteen buckets, of which the oldest counts by
// the share of it that is still inside. Adding and looking cost a constant time; what has left the
// window leaves exactly nothing behind.

#include "shared/base/time.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace framefleet::broker {

class SlidingSum {
 public:
  /// Requires: `window` of at least a microsecond.
  explicit SlidingSum(Duration window) : window_(window), bucket_(window / kBuckets) {}

  /// Requires: `now` does not go back.
  void add(double amount, Time now) {
    const auto at = number_of(now);
    // Of what was there last, everything else is older than the window.
    const auto first = std::max(latest_ + 1, at - kBuckets);
    for (auto cleared = first; cleared <= at; ++cleared) sums_.at(place(cleared)) = 0;
    latest_ = std::max(latest_, at);
    sums_.at(place(at)) += amount;
  }

  /// The sum divided by the window.
  double per_second(Time now) const {
    const auto at = number_of(now);
    const auto oldest = at - kBuckets;
    double sum = 0;
    for (auto number = oldest + 1; number <= std::min(at, latest_); ++number) {
      sum += sums_.at(place(number));
    }
    if (oldest <= latest_ && oldest > latest_ - kPlaces) {
      const Duration into = now.time_since_epoch() - at * bucket_;
      sum += sums_.at(place(oldest)) * (1.0 - seconds(into) / seconds(bucket_));
    }
    return sum / seconds(window_);
  }

 private:
  static constexpr std::int64_t kBuckets = 16;
  static constexpr std::int64_t kPlaces = kBuckets + 1;

  /// Negative before the beginning of time, where nothing was added.
  std::int64_t number_of(Time now) const { return now.time_since_epoch() / bucket_; }
  static std::size_t place(std::int64_t number) {
    return static_cast<std::size_t>((number % kPlaces + kPlaces) % kPlaces);
  }

  Duration window_;
  Duration bucket_;
  std::int64_t latest_{-1};
  std::array<double, kPlaces> sums_{};
};

}  // namespace framefleet::broker
