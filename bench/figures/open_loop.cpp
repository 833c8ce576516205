#include "bench/figures/open_loop.hpp"

#include <chrono>
#include <cmath>

namespace framefleet::bench {

Time OpenLoop::intended(std::uint64_t number) const {
  if (per_second_ <= 0) return begin_;
  const double after_ns = std::round(static_cast<double>(number) * 1e9 / per_second_);
  return begin_ + Duration(static_cast<Duration::rep>(after_ns));
}

std::uint64_t OpenLoop::due(Time now) const {
  if (now < begin_) return 0;
  auto count = static_cast<std::uint64_t>(seconds(now - begin_) * per_second_);
  while (intended(count) <= now) ++count;  // Two roundings, at most one step apart.
  while (count > 0 && intended(count - 1) > now) --count;
  return count;
}

}  // namespace framefleet::bench
