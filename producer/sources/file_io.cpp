#include "producer/sources/file_io.hpp"

#include "shared/base/failpoint.hpp"
#include "shared/base/whole_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace framefleet::producer {

namespace {

int sync_folder(const std::filesystem::path& folder) {
  const FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return errno;
  return 0;
}

int write_durably(const std::filesystem::path& path, std::string_view text) {
  const FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return errno;
  if (const int error = write_all(fd.get(), text); error != 0) return error;
  failpoint("manifest.written");
  return ::fsync(fd.get()) == 0 ? 0 : errno;
}

}  // namespace

std::string system_reason(int error_number) {
  return std::generic_category().message(error_number);
}

Result<FileContents, std::string> read_file(const std::string& path, std::uint64_t bytes_max) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return fail(system_reason(errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail(system_reason(errno));
  if (S_ISDIR(status.st_mode)) return fail(std::string("it is a folder"));
  if (!S_ISREG(status.st_mode)) return fail(std::string("it is not a regular file"));
  const auto too_large = [&] {
    return fail(fmt::format("it is larger than the limit of {} bytes", bytes_max));
  };
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > bytes_max) return too_large();

  FileContents contents;
  contents.mtime_ms =
      std::int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1'000'000;
  // One byte more than the file has: the read that finds the end is the one that fills the buffer,
  // and a file that grows meanwhile goes on in steps.
  contents.bytes.resize(size + 1);
  std::size_t filled = 0;
  while (true) {
    const auto got =
        ::read(fd.get(), contents.bytes.data() + filled, contents.bytes.size() - filled);
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail(system_reason(errno));
    }
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
    if (filled > bytes_max) return too_large();
    if (filled == contents.bytes.size()) contents.bytes.resize(filled + (64U << 10U));
  }
  contents.bytes.resize(filled);
  return contents;
}

Result<void, Error> replace_file(const std::filesystem::path& path, std::string_view text) {
  auto temporary = path;
  temporary += ".tmp";
  int error = write_durably(temporary, text);
  failpoint("manifest.synced");
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  failpoint("manifest.renamed");
  if (error == 0) error = sync_folder(path.parent_path());
  if (error == 0) return {};
  return fail(Error{fmt::format("cannot write {}: {}", path.string(), system_reason(error)),
                    exit_code::kDiskError});
}

Result<void, Error> append_to_file(const std::filesystem::path& path, std::string_view text) {
  const FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  struct stat before {};
  int error = fd && ::fstat(fd.get(), &before) == 0 ? 0 : errno;
  if (error == 0) {
    error = write_all(fd.get(), text);
    if (error == 0 && ::fdatasync(fd.get()) != 0) error = errno;
    if (error == 0) return {};
    // Half a line must not stand in front of what is written next.
    if (::ftruncate(fd.get(), before.st_size) != 0) error = errno;
  }
  return fail(Error{fmt::format("cannot write {}: {}", path.string(), system_reason(error)),
                    exit_code::kDiskError});
}

}  // namespace framefleet::producer
