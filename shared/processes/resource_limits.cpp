#include "shared/processes/resource_limits.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace framefleet {

void limit_resource(decltype(RLIMIT_AS) resource, rlim_t value) {
  rlimit now{};
  ::getrlimit(resource, &now);
  const rlim_t most = std::min(value, now.rlim_max);
  const rlimit wanted{most, most};
  ::setrlimit(resource, &wanted);
}

void raise_limit(decltype(RLIMIT_AS) resource) {
  rlimit now{};
  ::getrlimit(resource, &now);
  now.rlim_cur = now.rlim_max;
  ::setrlimit(resource, &now);
}

rlim_t address_space_bytes() {
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  statm >> pages;
  return pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace framefleet
