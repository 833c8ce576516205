#include "broker/journals/journal_folder.hpp"

#include "shared/base/failpoint.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <system_error>

namespace framefleet::broker {
namespace {

// Not in <linux/magic.h> of every supported system.
constexpr std::int64_t kCifs = 0xFF534D42;
constexpr std::int64_t kSmb2 = 0xFE534D42;
constexpr std::int64_t kCeph = 0x00C36400;
constexpr std::int64_t kLustre = 0x0BD00BD0;

/// On these, locks and maps of LMDB do not hold between machines, or a sync promises nothing.
constexpr std::array<std::int64_t, 10> kNetworks{
    NFS_SUPER_MAGIC, SMB_SUPER_MAGIC,       kCifs,     kSmb2, kCeph, kLustre, V9FS_MAGIC,
    AFS_FS_MAGIC,    0x47504653 /* GPFS */, 0x65735546 /* FUSE: sshfs, gluster */};

std::string system_text() { return std::generic_category().message(errno); }

Error cannot(std::string_view what, const std::filesystem::path& path,
             int code = exit_code::kCannotCreate) {
  return {fmt::format("cannot {} {}: {}", what, path.string(), system_text()), code};
}

Result<void, Error> sync(int descriptor, const std::filesystem::path& path) {
  if (::fsync(descriptor) == 0) return {};
  return fail(cannot("sync", path, exit_code::kDiskError));
}

Result<void, Error> make_folder(const std::filesystem::path& folder, JournalFolder::Absent absent) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) == 0) return {};
  if (absent == JournalFolder::Absent::refuse) {
    return fail(Error{fmt::format("there is no journal at {}: {}", folder.string(), system_text()),
                      exit_code::kNoInput});
  }
  std::error_code error;
  std::filesystem::create_directories(folder.parent_path(), error);
  constexpr mode_t kMode = 0700;
  if (::mkdir(folder.c_str(), kMode) != 0 && errno != EEXIST) {
    return fail(cannot("create the journal's folder", folder));
  }
  return {};
}

Result<void, Error> check_file_system(int descriptor, const std::filesystem::path& folder) {
  struct statfs status {};
  if (::fstatfs(descriptor, &status) != 0) return fail(cannot("look at", folder));
  const auto type = static_cast<std::int64_t>(status.f_type);
  if (std::find(kNetworks.begin(), kNetworks.end(), type) == kNetworks.end()) return {};
  return fail(Error{fmt::format("{} is on a network file system (type {:#x}), where a journal is "
                                "not safe; choose a folder on a local disk",
                                folder.string(), type),
                    exit_code::kCannotCreate});
}

}  // namespace

Result<JournalFolder, Error> JournalFolder::claim(const std::filesystem::path& folder,
                                                  Absent absent) {
  if (auto made = make_folder(folder, absent); !made) return fail(made.error());
  FileDescriptor lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) return fail(cannot("open the journal's folder", folder));
  if (auto local = check_file_system(lock.get(), folder); !local) return fail(local.error());
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Error{fmt::format("the journal {} is in use by another process; stop it first or "
                                  "choose another folder",
                                  folder.string()),
                      exit_code::kUnavailable});
  }
  return JournalFolder(folder, std::move(lock));
}

Result<void, Error> JournalFolder::reserve(const std::filesystem::path& file,
                                           std::uint64_t bytes) const {
  const FileDescriptor descriptor(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  struct stat status {};
  if (!descriptor || ::fstat(descriptor.get(), &status) != 0) return fail(cannot("open", file));
  const auto length = static_cast<off_t>(bytes);
  if (status.st_size > length && ::ftruncate(descriptor.get(), length) != 0) {
    return fail(cannot("cut", file));
  }
  errno = ::posix_fallocate(descriptor.get(), 0, length);
  if (errno != 0) {
    return fail(Error{fmt::format("cannot reserve {} bytes for the journal {}: {}; make room, or "
                                  "choose another disk or a smaller backlog",
                                  bytes, file.string(), system_text()),
                      exit_code::kCannotCreate});
  }
  return sync(descriptor.get(), file);
}

Result<void, Error> JournalFolder::complete(const std::filesystem::path& from,
                                            const std::filesystem::path& to) const {
  if (::rename(from.c_str(), to.c_str()) != 0) return fail(cannot("create", to));
  failpoint("journal.create.renamed");
  return sync(lock_.get(), path_);
}

}  // namespace framefleet::broker
