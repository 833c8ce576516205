#include "sink/stores/space_reserve.hpp"

#include "shared/base/file_descriptor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

namespace framefleet::sink {
namespace {

constexpr mode_t kMode = 0600;
constexpr std::uint64_t kStep = std::uint64_t{64} << 10U;

}  // namespace

bool SpaceReserve::give_up() {
  std::error_code error;
  const auto space = std::filesystem::space(file_.parent_path(), error);
  if (error || space.available >= kBytes) return false;
  whole_ = false;
  return std::filesystem::remove(file_, error);
}

void SpaceReserve::keep() {
  if (whole_) return;
  const FileDescriptor file(::open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, kMode));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return;
  const auto has = static_cast<std::uint64_t>(status.st_size);
  // What a try that failed has taken of the disk it may have kept.
  for (auto bytes = kBytes; bytes > has; bytes -= kStep) {
    if (::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes)) == 0) {
      whole_ = bytes == kBytes;
      return;
    }
    if (::ftruncate(file.get(), status.st_size) != 0) return;
  }
  whole_ = has >= kBytes;
}

}  // namespace framefleet::sink
