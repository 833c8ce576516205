// A disk that fails: preloaded into a program (LD_PRELOAD), it lets a chosen call on a chosen file
// fail, come up short or take long. tests/support/faults/disk.py makes the environment:
//
//   IO_FAULT_PATH   part of the paths of the files that count
//   IO_FAULT_CALL   write, sync, size, name, create, or any: the calls that count
//   IO_FAULT_NTH    which of them, from 1 on; 0: none
//   IO_FAULT_WHAT   EIO, ENOSPC, EDQUOT; short (half of a write); slow:MS
//   IO_FAULT_EVER   set: that one and all that follow
//   IO_FAULT_COUNT  a file that gets a line for every call that counts: NUMBER CALL PATH [fault]
//
// A sync that fails takes with it what was written to the file since the last one that did not, as
// kernels do: whoever relies on it afterwards has lost it. (Sizes stay.)
//
// Threads: any.

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace {

/// What is put back when a sync fails.
struct Unsynced {
  int descriptor;
  std::string path;
  off_t offset;
  std::string before;
};

struct Fault {
  std::string_view path;
  std::string_view call;
  std::string_view what;
  long nth;
  bool ever;
  const char* count_file;
};

std::string_view setting(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? std::string_view() : text;
}

const Fault& fault() {
  static const Fault chosen{
      setting("IO_FAULT_PATH"),          setting("IO_FAULT_CALL"),
      setting("IO_FAULT_WHAT"),          std::atol(std::string(setting("IO_FAULT_NTH")).c_str()),
      !setting("IO_FAULT_EVER").empty(), std::getenv("IO_FAULT_COUNT")};
  return chosen;
}

// Never destroyed: programs write until their very end.
std::mutex& mutex() {
  static auto* const one = new std::mutex;
  return *one;
}
std::vector<Unsynced>& unsynced() {
  static auto* const all = new std::vector<Unsynced>;
  return *all;
}

std::string path_of(int descriptor) {
  std::array<char, 64> link{};
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", descriptor);
  std::array<char, PATH_MAX> path{};
  const auto size = ::readlink(link.data(), path.data(), path.size() - 1);
  return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : std::string();
}

bool counts(std::string_view path) {
  return !fault().path.empty() && path.find(fault().path) != std::string_view::npos;
}

void note(long number, std::string_view call, std::string_view path, bool hit) {
  if (fault().count_file == nullptr) return;
  std::string line = std::to_string(number) + ' ';
  line.append(call).append(" ").append(path).append(hit ? " fault\n" : "\n");
  const auto file = ::syscall(SYS_openat, AT_FDCWD, fault().count_file,
                              O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  ::syscall(SYS_write, file, line.data(), line.size());
  ::syscall(SYS_close, file);
}

/// Counts the call; what is to become of it, or "".
std::string_view meet(std::string_view call, std::string_view path) {
  static long number = 0;
  if (!counts(path) || (fault().call != "any" && fault().call != call)) return {};
  ++number;
  const bool hit =
      fault().nth > 0 && (number == fault().nth || (fault().ever && number > fault().nth));
  note(number, call, path, hit);
  return hit ? fault().what : std::string_view();
}

/// True: the call fails with errno. A slow one has waited then.
bool fails(std::string_view what) {
  constexpr std::string_view kSlow = "slow:";
  if (what.substr(0, kSlow.size()) == kSlow) {
    ::poll(nullptr, 0, std::atoi(std::string(what.substr(kSlow.size())).c_str()));
    return false;
  }
  if (what == "EIO") errno = EIO;
  if (what == "ENOSPC") errno = ENOSPC;
  if (what == "EDQUOT") errno = EDQUOT;
  return !what.empty() && what != "short";
}

std::string_view meet_locked(std::string_view call, std::string_view path) {
  const std::lock_guard lock(mutex());
  return meet(call, path);
}

/// The bytes that a write is about to replace. Through its own descriptor: to close another one of
/// the file would drop every lock that the program has on it.
void remember(int descriptor, const std::string& path, off_t offset, std::size_t count) {
  Unsynced piece{descriptor, path, offset, std::string(count, '\0')};
  ::syscall(SYS_pread64, descriptor, piece.before.data(), count, offset);
  const std::lock_guard lock(mutex());
  unsynced().push_back(std::move(piece));
}

/// `path` empty: of all files.
void end_of_sync(const std::string& path, bool lost) {
  const std::lock_guard lock(mutex());
  auto& all = unsynced();
  const auto concerns = [&](const Unsynced& piece) { return path.empty() || piece.path == path; };
  if (lost) {
    for (auto piece = all.rbegin(); piece != all.rend(); ++piece) {
      if (!concerns(*piece) || path_of(piece->descriptor) != piece->path) continue;
      ::syscall(SYS_pwrite64, piece->descriptor, piece->before.data(), piece->before.size(),
                piece->offset);
    }
  }
  all.erase(std::remove_if(all.begin(), all.end(), concerns), all.end());
}

/// A write of `count` bytes at `offset`, which `perform(bytes)` does.
template <class Perform>
ssize_t write_as(int descriptor, off_t offset, std::size_t count, Perform perform) {
  const auto path = path_of(descriptor);
  if (!counts(path)) return perform(count);
  const auto what = meet_locked("write", path);
  if (fails(what)) return -1;
  if (what == "short") count = (count + 1) / 2;
  // What a descriptor syncs with every write needs no other sync.
  if ((::fcntl(descriptor, F_GETFL) & O_DSYNC) == 0) remember(descriptor, path, offset, count);
  return perform(count);
}

template <class Perform>
int sync_as(int descriptor, bool everything, Perform perform) {
  const auto path = path_of(descriptor);
  // A file system's sync concerns the file that it was asked for by.
  if (!counts(path)) return perform();
  const bool lost = fails(meet_locked("sync", path));
  const int error = errno;
  end_of_sync(everything ? std::string() : path, lost);
  if (!lost) return perform();
  errno = error;
  return -1;
}

int open_as(int folder, const char* path, int flags, mode_t mode) {
  if ((flags & O_CREAT) != 0 && ::access(path, F_OK) != 0 && fails(meet_locked("create", path))) {
    return -1;
  }
  return static_cast<int>(::syscall(SYS_openat, folder, path, flags, mode));
}

mode_t mode_of(int flags, va_list arguments) {
  const bool creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return creates ? static_cast<mode_t>(va_arg(arguments, int)) : 0;
}

}  // namespace

extern "C" {

ssize_t pwrite64(int descriptor, const void* bytes, size_t count, off64_t offset) {
  return write_as(descriptor, offset, count, [&](std::size_t some) {
    return ::syscall(SYS_pwrite64, descriptor, bytes, some, offset);
  });
}
ssize_t pwrite(int descriptor, const void* bytes, size_t count, off_t offset) {
  return pwrite64(descriptor, bytes, count, offset);
}

ssize_t write(int descriptor, const void* bytes, size_t count) {
  const auto offset = ::lseek(descriptor, 0, SEEK_CUR);
  return write_as(descriptor, offset, count,
                  [&](std::size_t some) { return ::syscall(SYS_write, descriptor, bytes, some); });
}

static std::vector<iovec> first_of(const iovec* pieces, int count, std::size_t bytes) {
  std::vector<iovec> some;
  for (int i = 0; i < count && bytes > 0; ++i) {
    some.push_back({pieces[i].iov_base, std::min(bytes, pieces[i].iov_len)});
    bytes -= some.back().iov_len;
  }
  return some;
}
static std::size_t bytes_of(const iovec* pieces, int count) {
  std::size_t bytes = 0;
  for (int i = 0; i < count; ++i) bytes += pieces[i].iov_len;
  return bytes;
}

ssize_t pwritev64(int descriptor, const iovec* pieces, int count, off64_t offset) {
  return write_as(descriptor, offset, bytes_of(pieces, count), [&](std::size_t bytes) {
    const auto some = first_of(pieces, count, bytes);
    return ::syscall(SYS_pwritev, descriptor, some.data(), some.size(), offset, 0L);
  });
}
ssize_t pwritev(int descriptor, const iovec* pieces, int count, off_t offset) {
  return pwritev64(descriptor, pieces, count, offset);
}
ssize_t writev(int descriptor, const iovec* pieces, int count) {
  const auto offset = ::lseek(descriptor, 0, SEEK_CUR);
  return write_as(descriptor, offset, bytes_of(pieces, count), [&](std::size_t bytes) {
    const auto some = first_of(pieces, count, bytes);
    return ::syscall(SYS_writev, descriptor, some.data(), some.size());
  });
}

int fdatasync(int descriptor) {
  return sync_as(descriptor, false,
                 [&] { return static_cast<int>(::syscall(SYS_fdatasync, descriptor)); });
}
int fsync(int descriptor) {
  return sync_as(descriptor, false,
                 [&] { return static_cast<int>(::syscall(SYS_fsync, descriptor)); });
}
int syncfs(int descriptor) noexcept {
  return sync_as(descriptor, true,
                 [&] { return static_cast<int>(::syscall(SYS_syncfs, descriptor)); });
}

int ftruncate64(int descriptor, off64_t length) noexcept {
  if (fails(meet_locked("size", path_of(descriptor)))) return -1;
  return static_cast<int>(::syscall(SYS_ftruncate, descriptor, length));
}
int ftruncate(int descriptor, off_t length) noexcept { return ftruncate64(descriptor, length); }

int posix_fallocate64(int descriptor, off64_t offset, off64_t length) {
  if (fails(meet_locked("size", path_of(descriptor)))) return errno;
  return ::syscall(SYS_fallocate, descriptor, 0, offset, length) == 0 ? 0 : errno;
}
int posix_fallocate(int descriptor, off_t offset, off_t length) {
  return posix_fallocate64(descriptor, offset, length);
}

int rename(const char* from, const char* to) noexcept {
  if (fails(meet_locked("name", to))) return -1;
  return static_cast<int>(::syscall(SYS_rename, from, to));
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_as(AT_FDCWD, path, flags, mode);
}
int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_as(AT_FDCWD, path, flags, mode);
}

}  // extern "C"
