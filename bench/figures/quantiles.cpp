#include "bench/figures/quantiles.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace framefleet::bench {

double median(std::vector<double> values) {
  FRAMEFLEET_ASSERT(!values.empty());
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double quantile(const std::vector<double>& sorted, double share) {
  FRAMEFLEET_ASSERT(!sorted.empty());
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  const auto last = sorted.size() - 1;
  return sorted[std::min(last, static_cast<std::size_t>(std::max(1.0, rank)) - 1)];
}

}  // namespace framefleet::bench
