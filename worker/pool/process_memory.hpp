#pragma once
// How much memory a process takes, as the system counts it.

#include <sys/types.h>

#include <cstdint>

namespace framefleet::worker {

/// Resident bytes of a process, where a page that n processes share counts as 1/n (Pss): over a
/// worker and its child processes this adds up to what they take together. 0 where it is gone or
/// belongs to somebody else. Costs the system a walk over its pages.
std::uint64_t memory_share(pid_t pid);

}  // namespace framefleet::worker
