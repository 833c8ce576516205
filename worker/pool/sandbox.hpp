#pragma once
// What a child process may not do: limits of the kernel (memory, files, cores, CPU) and a filter of
// its system calls, entered for good once everything that opens files has been opened. Acts on the
// calling process, which must have one thread.

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

#include <sys/types.h>

#include <cstdint>

namespace framefleet::worker {

/// From here on the process may take `memory_max` bytes more than it has, keep 64 descriptors,
/// write files no longer than an answer sheet, leave no core, and gain no privilege. Its system
/// calls are those of computing and of the descriptors that it has: every other one fails with
/// EPERM and is counted; those that only an attacker wants (socket, execve, ptrace, …) kill it.
/// Errors: the kernel refuses the filter.
Result<void, Error> enter_sandbox(std::uint64_t memory_max);

/// The limits alone, for a process that still opens files: memory as above, a minute of CPU, no
/// core.
void limit_trial(std::uint64_t memory_max);

/// System calls refused since enter_sandbox().
std::uint64_t denied_syscalls();

/// Gives the process `budget` of CPU on top of what it has used: the kernel's own stop for a
/// child whose worker does not get to stop it. Does nothing where `pid` is gone.
void raise_cpu_limit(pid_t pid, Duration budget);

}  // namespace framefleet::worker
