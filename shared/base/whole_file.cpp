#include "shared/base/whole_file.hpp"

#include "shared/base/file_descriptor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <system_error>

namespace framefleet {
namespace {

Error whole_file_error(const std::filesystem::path& file, std::string_view wrong, int number) {
  return {fmt::format("{}: {}: {}", file.string(), wrong, std::generic_category().message(number)),
          exit_code::kCannotCreate};
}

/// The folder's own entry for `file`.
Result<void, Error> sync_name(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const FileDescriptor fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (fd && ::fsync(fd.get()) == 0) return {};
  return fail(whole_file_error(folder, "cannot be synced", errno));
}

}  // namespace

int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto took = ::write(fd, bytes.data(), bytes.size());
    if (took < 0 && errno == EINTR) continue;
    if (took < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(took));
  }
  return 0;
}

Result<void, Error> make_file(const std::filesystem::path& file, std::string_view content,
                              mode_t mode) {
  const FileDescriptor fd{
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)};
  if (!fd) return fail(whole_file_error(file, "cannot be made", errno));
  int error = ::fchmod(fd.get(), mode) == 0 ? 0 : errno;
  if (error == 0) error = write_all(fd.get(), content);
  if (error == 0 && ::fsync(fd.get()) != 0) error = errno;
  if (error == 0) return sync_name(file);
  ::unlink(file.c_str());
  return fail(whole_file_error(file, "cannot be written", error));
}

Result<void, Error> move_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return sync_name(to);
  return fail(whole_file_error(to, "cannot be replaced", errno));
}

}  // namespace framefleet
