#include "cli/child_output.hpp"

#include "cli/folders.hpp"
#include "cli/line_buffer.hpp"
#include "cli/log_excerpt.hpp"

#include "shared/base/file_descriptor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace framefleet::cli {
namespace {

constexpr std::size_t kExcerptLinesMax = 8;

/// Until the program has closed its end.
Result<void, Error> take_lines(int from, std::size_t line_bytes_max, const TakeLine& take) {
  constexpr std::size_t kReadBytes = std::size_t{64} * 1024;
  LineBuffer lines(line_bytes_max);
  std::string bytes(kReadBytes, '\0');
  while (true) {
    const ssize_t got = ::read(from, bytes.data(), bytes.size());
    if (got == 0) return {};
    if (got < 0 && errno != EINTR) return fail(Error{"cannot read what a program prints"});
    if (got < 0) continue;
    for (const auto& line : lines.feed({bytes.data(), static_cast<std::size_t>(got)})) {
      if (auto taken = take(line); !taken) return taken;
    }
  }
}

}  // namespace

Result<Finished, Error> run_to_end(const Command& command, std::size_t line_bytes_max,
                                   const TakeLine& take) {
  const auto folder = PrivateFolder::create();
  if (!folder) return fail(folder.error());
  const auto log = folder->path() / "log";
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Error{"cannot make a pipe"});
  const FileDescriptor from(ends[0]);
  FileDescriptor to(ends[1]);
  auto child = ChildProcess::spawn(command, {.log = log, .stdout_fd = to.get()});
  if (!child) return fail(child.error());
  to.close();
  if (auto taken = take_lines(from.get(), line_bytes_max, take); !taken) {
    return fail(taken.error());
  }
  pollfd end{.fd = child->end_fd(), .events = POLLIN, .revents = 0};
  while (::poll(&end, 1, -1) < 0 && errno == EINTR) {
  }
  const auto status = child->reap();
  if (!status) return fail(Error{"cannot tell how " + command.program + " ended"});
  return Finished{*status, log_excerpt(tail(log, 0), kExcerptLinesMax)};
}

}  // namespace framefleet::cli
