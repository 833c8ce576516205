#pragma once
// What processes that run have spent and hold. Threads: any. Errors: 0 for what cannot be read.

#include <sys/types.h>

#include <cstdint>

namespace framefleet::bench {

struct Spending {
  /// Of all threads that there are, to the nanosecond, with those of its descendants. What a thread
  /// spent that has ended is not in it: the programs measured here keep theirs.
  double cpu_s{0};
  /// The most that was resident at once, since its start: the sum over it and its descendants.
  std::uint64_t peak_bytes{0};
};

Spending spending_of(pid_t pid);

/// Processor time of all children of this process that have ended and were waited for, and of
/// those for whom they waited.
double reaped_cpu_seconds();

}  // namespace framefleet::bench
