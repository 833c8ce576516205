#include "sink/stores/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace framefleet::sink {

namespace {

Result<void, StoreError> sync_result(int returned, const std::filesystem::path& path) {
  if (returned == 0) return {};
  // What a failed sync left on disk is unknown, whatever the reason: never worth another try.
  auto error = file_error("sync", path, errno);
  error.kind = StoreError::Kind::failed;
  return fail(std::move(error));
}

}  // namespace

StoreError file_error(std::string_view what, const std::filesystem::path& path, int system_errno) {
  const bool full = system_errno == ENOSPC || system_errno == EDQUOT;
  return {full ? StoreError::Kind::full : StoreError::Kind::failed,
          fmt::format("cannot {} {}: {}", what, path.string(),
                      std::generic_category().message(system_errno))};
}

Result<File, StoreError> File::open(const std::filesystem::path& path, int flags) {
  constexpr mode_t kMode = 0666;
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, kMode);
  if (descriptor < 0) return fail(file_error("open", path, errno));
  return File(descriptor, path);
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

Result<void, StoreError> File::write_at(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(file_error("write", path_, errno));
    if (written == 0) return fail(file_error("write", path_, ENOSPC));
    offset += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void, StoreError> File::truncate(std::uint64_t bytes) {
  if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0) {
    return fail(file_error("cut", path_, errno));
  }
  return {};
}

Result<void, StoreError> File::sync() { return sync_result(::fdatasync(descriptor_), path_); }

Result<void, StoreError> File::sync_file_system() {
  return sync_result(::syncfs(descriptor_), path_);
}

Result<std::uint64_t, StoreError> File::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) return fail(file_error("look at", path_, errno));
  return static_cast<std::uint64_t>(status.st_size);
}

bool File::holds_at(std::uint64_t offset, char expected) const {
  char found = 0;
  return ::pread(descriptor_, &found, 1, static_cast<off_t>(offset)) == 1 && found == expected;
}

bool File::try_lock() { return ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0; }

Result<void, StoreError> sync_folder(const std::filesystem::path& folder) {
  auto opened = File::open(folder, O_RDONLY | O_DIRECTORY);
  if (!opened) return fail(opened.error());
  return opened->sync();
}

}  // namespace framefleet::sink
