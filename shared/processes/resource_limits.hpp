#pragma once
// What a process of ours may use of its machine, from now on. Threads: any. Errors: none; a limit
// that the machine has set lower already stays.

#include <sys/resource.h>

namespace framefleet {

/// Lowers a limit (RLIMIT_AS, RLIMIT_CORE, …) to `value`, in that limit's unit.
void limit_resource(decltype(RLIMIT_AS) resource, rlim_t value);

/// Takes as much of it as the machine allows: the hard limit.
void raise_limit(decltype(RLIMIT_AS) resource);

/// Bytes of address space that this process uses now: what RLIMIT_AS counts.
rlim_t address_space_bytes();

}  // namespace framefleet
