#pragma once
// What this process and all of its descendants hold and have spent.

#include <cstdint>

namespace framefleet::bench {

/// Proportional set size in bytes: a page that n processes share counts 1/n for each of them.
std::uint64_t family_memory();

/// Processor time. That of descendants comes in ticks of 10 ms, and is forgotten with them unless
/// they were waited for.
double family_cpu_seconds();

/// Of the calling thread alone.
double thread_cpu_seconds();

}  // namespace framefleet::bench
