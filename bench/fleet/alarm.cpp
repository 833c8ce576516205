#include "bench/fleet/alarm.hpp"

#include "shared/base/assert.hpp"

#include <sys/timerfd.h>

#include <algorithm>
#include <cstdint>

namespace framefleet::bench {

Alarm::Alarm() : timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  FRAMEFLEET_ASSERT(timer_.get() >= 0);
}

void Alarm::set(Time at) {
  constexpr std::int64_t kNsInSecond = 1'000'000'000;
  const std::int64_t ns = std::max<std::int64_t>(1, at.time_since_epoch().count());
  itimerspec when{};
  when.it_value.tv_sec = ns / kNsInSecond;
  when.it_value.tv_nsec = ns % kNsInSecond;
  FRAMEFLEET_ASSERT(::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr) == 0);
}

}  // namespace framefleet::bench
