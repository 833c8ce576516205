// In a program of its own: what is tried holds for the whole process.

#include "shared/processes/heap.hpp"

#include "tests/support/catch.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

using namespace framefleet;

namespace {

constexpr std::size_t kPictureBytes = 100 << 10;
constexpr std::size_t kPictures = 200;

std::size_t pages_of_all() {
  return kPictures * kPictureBytes / static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_minflt);
}

/// Pages faulted in while pictures come and all go again.
std::size_t faults_of_a_burst() {
  const auto before = faults();
  std::vector<std::unique_ptr<std::byte[]>> pictures;
  pictures.reserve(kPictures);
  for (std::size_t i = 0; i < kPictures; ++i) {
    auto& picture = pictures.emplace_back(new std::byte[kPictureBytes]);
    std::fill_n(picture.get(), kPictureBytes, std::byte{1});
  }
  pictures.clear();
  return faults() - before;
}

}  // namespace

TEST_CASE("memory that was freed serves the next burst, without a fault for each page") {
  faults_of_a_burst();
  const auto left_alone = faults_of_a_burst();
  keep_freed_memory(32 << 20);
  faults_of_a_burst();
  CHECK(faults_of_a_burst() < pages_of_all() / 10);
  if (left_alone < pages_of_all() / 2) {
    WARN("SKIPPED: what malloc does by itself: pages are not faulted in one by one here");
    return;
  }
  keep_freed_memory(1 << 20);
  faults_of_a_burst();
  CHECK(faults_of_a_burst() > pages_of_all() / 2);
}
