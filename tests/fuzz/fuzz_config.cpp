// Any bytes as a configuration file. What must hold: the file is refused with exit code 78 and
// words that begin with its name, or it is taken, and then --print-config writes a file that says
// the same.

#include "tests/fuzz/target.hpp"
#include "tests/unit/config/sample_options.hpp"

#include "shared/base/assert.hpp"
#include "shared/config/load.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <string>

using namespace framefleet;

namespace {

/// A file in memory: thousands of them a second, and no disk.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content) : fd_(::memfd_create("fuzz.toml", MFD_CLOEXEC)) {
    FRAMEFLEET_ASSERT(fd_ >= 0);
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(std::string_view(reinterpret_cast<const char*>(data), size));
  test::Sample sample;
  const auto taken = config::parse_file_into(sample.set, file.path());
  if (!taken) {
    FRAMEFLEET_ASSERT(taken.error().exit_code == exit_code::kConfig);
    FRAMEFLEET_ASSERT(taken.error().text.starts_with(file.path().string()));
    return 0;
  }
  const MemoryFile printed(config::effective_toml(sample.set));
  test::Sample again;
  FRAMEFLEET_ASSERT(config::parse_file_into(again.set, printed.path()).has_value());
  FRAMEFLEET_ASSERT(again.options == sample.options);
  return 0;
}
