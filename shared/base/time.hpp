#pragma once
// Points in time and durations as every core sees them.
//
// `Timeline` is a clock tag without `now()`: a core is handed the time and cannot ask for it
// (calling now() does not compile). Shells fill it from CLOCK_MONOTONIC, the simulator from virtual
// time. Durations travel on the wire, points in time never do.

#include <chrono>
#include <cstdint>

namespace framefleet {

struct Timeline {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::duration<rep, period>;
  using time_point = std::chrono::time_point<Timeline>;
  static constexpr bool is_steady = true;
};

using Duration = Timeline::duration;
using Time = Timeline::time_point;

/// Later than every deadline: "no timer is set".
inline constexpr Time kNever = Time::max();

/// Whole milliseconds, rounded up, so that a wait never ends before its deadline.
constexpr std::int64_t ceil_ms(Duration d) {
  return std::chrono::ceil<std::chrono::milliseconds>(d).count();
}

/// Seconds as a real number: the unit of metrics and logs.
constexpr double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace framefleet
