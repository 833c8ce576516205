#include "shared/processes/heap.hpp"

#include <gperftools/malloc_extension_c.h>

#include <algorithm>

// Programs are linked with them (cmake/FramefleetLibrary.cmake), tests and sanitizers are not.
#pragma weak MallocExtension_GetNumericProperty
#pragma weak MallocExtension_ReleaseToSystem

namespace framefleet {

void give_back_freed_memory(std::size_t kept, std::size_t at_most) {
  if (MallocExtension_GetNumericProperty == nullptr || MallocExtension_ReleaseToSystem == nullptr) {
    return;
  }
  std::size_t free_bytes = 0;
  MallocExtension_GetNumericProperty("tcmalloc.pageheap_free_bytes", &free_bytes);
  if (free_bytes > kept) MallocExtension_ReleaseToSystem(std::min(free_bytes - kept, at_most));
}

}  // namespace framefleet
