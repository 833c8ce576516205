#pragma once
// How a process of ours treats the memory that it has freed. Programs allocate with tcmalloc
// (docs/adr/0033), which keeps all of it for what comes next.

#include <cstddef>

namespace framefleet {

/// Gives back to the system what is free beyond `kept` bytes, `at_most` bytes of it: the system
/// takes some 80 us for each MiB (measured), while no other thread can get a large block. Does
/// nothing where the process has another malloc than tcmalloc (tests, sanitizers). Threads: any.
/// Errors: none.
void give_back_freed_memory(std::size_t kept, std::size_t at_most);

}  // namespace framefleet
