#pragma once
// How a process of ours treats the memory that it has freed.

#include <cstddef>

namespace framefleet {

/// Keeps what is free at the end of a heap for what comes next, up to so many bytes for each thread
/// that allocates; what is more goes back to the system. By itself malloc gives back what is over
/// 128 KiB, and each page of the next picture is faulted in again: a third of what it costs a
/// worker to receive one of 100 KB. Threads: any, before much is allocated. Errors: none.
void keep_freed_memory(std::size_t bytes);

}  // namespace framefleet
