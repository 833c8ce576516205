#include "tests/support/write_log.hpp"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace framefleet::test {
namespace {

std::vector<LoggedWrite> g_writes;
bool g_recording = false;

std::string name_of(int descriptor) {
  std::error_code error;
  const auto link = "/proc/self/fd/" + std::to_string(descriptor);
  return std::filesystem::read_symlink(link, error).filename().string();
}

void record(int descriptor, std::uint64_t offset, const void* bytes, ssize_t count) {
  if (!g_recording || count <= 0) return;
  g_writes.push_back({offset,
                      {static_cast<const char*>(bytes), static_cast<std::size_t>(count)},
                      name_of(descriptor)});
}

ssize_t write_at(int descriptor, const void* bytes, std::size_t count, off_t offset) {
  const auto done = ::syscall(SYS_pwrite64, descriptor, bytes, count, offset);
  record(descriptor, static_cast<std::uint64_t>(offset), bytes, done);
  return done;
}

int cut(int descriptor, off_t bytes) {
  if (g_recording) {
    g_writes.push_back({static_cast<std::uint64_t>(bytes), {}, name_of(descriptor), true});
  }
  return static_cast<int>(::syscall(SYS_ftruncate, descriptor, bytes));
}

}  // namespace

WriteLog::WriteLog() {
  g_writes.clear();
  g_recording = true;
}
WriteLog::~WriteLog() { g_recording = false; }
const std::vector<LoggedWrite>& WriteLog::writes() const { return g_writes; }

}  // namespace framefleet::test

// What LMDB and SQLite call, by the names that the C library gives them.
extern "C" {

ssize_t pwrite(int descriptor, const void* bytes, size_t count, off_t offset) {
  return framefleet::test::write_at(descriptor, bytes, count, offset);
}
ssize_t pwrite64(int descriptor, const void* bytes, size_t count, off64_t offset) {
  return framefleet::test::write_at(descriptor, bytes, count, offset);
}

ssize_t writev(int descriptor, const iovec* pieces, int count) {
  const auto offset = ::lseek(descriptor, 0, SEEK_CUR);
  const auto done = ::syscall(SYS_writev, descriptor, pieces, count);
  auto at = static_cast<std::uint64_t>(offset);
  auto left = done;
  for (int i = 0; i < count && left > 0; ++i) {
    const auto size = std::min(left, static_cast<long>(pieces[i].iov_len));
    framefleet::test::record(descriptor, at, pieces[i].iov_base, size);
    at += static_cast<std::uint64_t>(size);
    left -= size;
  }
  return done;
}

int ftruncate(int descriptor, off_t bytes) noexcept {
  return framefleet::test::cut(descriptor, bytes);
}
int ftruncate64(int descriptor, off64_t bytes) noexcept {
  return framefleet::test::cut(descriptor, bytes);
}

int fdatasync(int descriptor) {
  if (framefleet::test::g_recording) {
    framefleet::test::g_writes.push_back({0, {}, framefleet::test::name_of(descriptor)});
  }
  return static_cast<int>(::syscall(SYS_fdatasync, descriptor));
}

}  // extern "C"
