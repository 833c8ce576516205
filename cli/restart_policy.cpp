#include "cli/restart_policy.hpp"

#include <algorithm>

namespace framefleet::cli {

std::optional<Duration> RestartPolicy::died(Duration lived, std::uint64_t progress) {
  if (lived >= options_.life_early || progress != progress_) early_deaths_ = 0;
  progress_ = progress;
  if (lived < options_.life_early && ++early_deaths_ >= options_.early_deaths_max) {
    return std::nullopt;
  }
  delay_ = lived >= options_.life_settled
               ? options_.delay_min
               : std::clamp(2 * delay_, options_.delay_min, options_.delay_max);
  return delay_;
}

}  // namespace framefleet::cli
