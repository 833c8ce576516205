#include "shared/processes/heap.hpp"

#include <malloc.h>

#include <algorithm>
#include <limits>

namespace framefleet {

void keep_freed_memory(std::size_t bytes) {
  // Blocks over this are mapped by themselves, whatever is kept. glibc takes no more, and comes to
  // it when it is left alone and has seen large blocks.
  constexpr int kMappedFrom = 32 << 20;
  ::mallopt(M_MMAP_THRESHOLD, kMappedFrom);
  constexpr std::size_t kMost = std::numeric_limits<int>::max();
  ::mallopt(M_TRIM_THRESHOLD, static_cast<int>(std::min(bytes, kMost)));
}

}  // namespace framefleet
