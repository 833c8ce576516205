#pragma once
// A file in memory, for targets that read files: thousands of them a second, and no disk.
//
// Invariants: its owner's alone (0600), gone with the object. Threads: one.

#include "shared/base/assert.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace framefleet::test {

class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content) : fd_(::memfd_create("fuzz.toml", MFD_CLOEXEC)) {
    FRAMEFLEET_ASSERT(fd_ >= 0);
    FRAMEFLEET_ASSERT(::fchmod(fd_, 0600) == 0);
    FRAMEFLEET_ASSERT(::write(fd_, content.data(), content.size()) ==
                      static_cast<ssize_t>(content.size()));
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace framefleet::test
