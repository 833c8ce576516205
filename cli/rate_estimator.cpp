#include "cli/rate_estimator.hpp"

#include <algorithm>

namespace framefleet::cli {

void RateEstimator::observe(std::uint64_t done, Time now) {
  if (!samples_.empty()) done = std::max(done, samples_.back().done);
  samples_.push_back({now, done});
  // The oldest sample stays until the next one is a whole window old: the slope then always spans
  // it.
  while (samples_.size() > kSamplesMax ||
         (samples_.size() > 2 && now - samples_[1].at >= kWindow)) {
    samples_.pop_front();
  }
}

std::optional<double> RateEstimator::per_second() const {
  constexpr Duration kMoment = std::chrono::milliseconds(100);
  if (samples_.size() < 2) return std::nullopt;
  const Duration span = samples_.back().at - samples_.front().at;
  if (span < kMoment) return std::nullopt;
  return static_cast<double>(samples_.back().done - samples_.front().done) / seconds(span);
}

std::optional<Duration> RateEstimator::remaining(std::uint64_t left) const {
  constexpr double kLongest = 1000.0 * 3600;
  const auto rate = per_second();
  if (!rate || *rate <= 0) return std::nullopt;
  const double needed = static_cast<double>(left) / *rate;
  if (needed > kLongest) return std::nullopt;
  return std::chrono::ceil<std::chrono::seconds>(std::chrono::duration<double>(needed));
}

}  // namespace framefleet::cli
