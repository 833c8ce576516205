#include "worker/pool/process_memory.hpp"

#include <fstream>
#include <string>

namespace framefleet::worker {

std::uint64_t memory_share(pid_t pid) {
  constexpr std::uint64_t kKibibyte = 1024;
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string word; file >> word;) {
    std::uint64_t kibibytes = 0;
    if (word == "Pss:" && file >> kibibytes) return kibibytes * kKibibyte;
  }
  return 0;
}

}  // namespace framefleet::worker
