// With the allocator that programs have. In a program of its own: what is tried holds for the whole
// process.

#include "shared/processes/heap.hpp"

#include "tests/support/catch.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <limits>
#include <memory>
#include <vector>

using namespace framefleet;

namespace {

constexpr std::size_t kPictureBytes = 100 << 10;
constexpr std::size_t kPictures = 200;
constexpr std::size_t kAllBytes = kPictures * kPictureBytes;

std::size_t page_bytes() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

std::size_t faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_minflt);
}

/// What the process has in memory.
std::size_t resident_bytes() {
  std::size_t all = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * page_bytes();
}

/// Pictures come and all go again.
void have_burst() {
  std::vector<std::unique_ptr<std::byte[]>> pictures;
  pictures.reserve(kPictures);
  for (std::size_t i = 0; i < kPictures; ++i) {
    auto& picture = pictures.emplace_back(new std::byte[kPictureBytes]);
    std::fill_n(picture.get(), kPictureBytes, std::byte{1});
  }
}

}  // namespace

TEST_CASE("memory that was freed serves the next burst, without a fault for each page") {
  have_burst();
  have_burst();
  give_back_freed_memory(2 * kAllBytes, std::numeric_limits<std::size_t>::max());
  const auto before = faults();
  have_burst();
  CHECK(faults() - before < kAllBytes / page_bytes() / 10);
}

TEST_CASE("what is free beyond what is to be kept goes back, so much at a time") {
  have_burst();
  const auto full = resident_bytes();
  give_back_freed_memory(0, kAllBytes / 4);
  const auto less = resident_bytes();
  CHECK(less < full - kAllBytes / 8);
  CHECK(less > full - kAllBytes / 2);
  give_back_freed_memory(0, std::numeric_limits<std::size_t>::max());
  CHECK(resident_bytes() < full - kAllBytes * 3 / 4);
}
