#include "shared/telemetry/monotonic.hpp"

#include "shared/base/assert.hpp"

#include <ctime>

namespace framefleet::telemetry {

Time monotonic_now() {
  timespec now{};
  FRAMEFLEET_ASSERT(::clock_gettime(CLOCK_MONOTONIC, &now) == 0);
  return Time{std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec}};
}

Duration since_boot() {
  timespec now{};
  FRAMEFLEET_ASSERT(::clock_gettime(CLOCK_BOOTTIME, &now) == 0);
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

std::int64_t wall_clock_ms() {
  timespec now{};
  FRAMEFLEET_ASSERT(::clock_gettime(CLOCK_REALTIME, &now) == 0);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace framefleet::telemetry
