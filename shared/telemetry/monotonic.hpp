#pragma once
// The only place that reads a clock. Shells pass what they read to their cores.
// Threads: any.

#include "shared/base/time.hpp"

#include <cstdint>

namespace framefleet::telemetry {

/// CLOCK_MONOTONIC: for timers and for measuring. Means nothing to another process.
Time monotonic_now();

/// CLOCK_BOOTTIME: what the kernel's own stamps of processes count from.
Duration since_boot();

/// Unix time in ms: for people. May jump.
std::int64_t wall_clock_ms();

}  // namespace framefleet::telemetry
