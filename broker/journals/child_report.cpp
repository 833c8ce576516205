#include "broker/journals/child_report.hpp"

#include "shared/base/file_descriptor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace framefleet::broker {
namespace {

/// Stands for "I am alive"; a report has none of it.
constexpr char kSign = '\0';

void write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) ::_exit(1);  // Nobody listens any more.
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

[[noreturn]] void be_child(int pipe, const std::function<void(const Report&)>& work) {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  int status = 1;
  try {
    work([pipe](std::string_view text) {
      write_all(pipe, text.empty() ? std::string_view(&kSign, 1) : text);
    });
    status = 0;
  } catch (...) {  // The parent is told by the status.
  }
  ::_exit(status);
}

/// Until the child closes its end; false: it was silent for too long.
bool read_all(int pipe, Duration silence_max, std::string& to) {
  std::array<char, 64 * 1024> piece{};
  while (true) {
    pollfd ready{pipe, POLLIN, 0};
    const int polled = ::poll(&ready, 1, static_cast<int>(ceil_ms(silence_max)));
    if (polled < 0 && errno == EINTR) continue;
    if (polled <= 0) return false;
    const auto got = ::read(pipe, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    for (const char c : std::string_view(piece.data(), static_cast<std::size_t>(got))) {
      if (c != kSign) to += c;
    }
  }
}

}  // namespace

Result<std::string, std::string> report_of_child(const std::function<void(const Report&)>& work,
                                                 Duration silence_max) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  }
  const FileDescriptor reading(ends[0]);
  FileDescriptor writing(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return fail(fmt::format("cannot fork: {}", std::strerror(errno)));
  if (child == 0) be_child(writing.get(), work);
  writing.close();
  std::string report;
  const bool spoke = read_all(reading.get(), silence_max, report);
  if (!spoke) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!spoke) return fail(std::string("the process that reads it hung"));
  if (WIFSIGNALED(status)) {
    return fail(fmt::format("the process that reads it died: {}", ::strsignal(WTERMSIG(status))));
  }
  if (status != 0) return fail(std::string("the process that reads it gave up"));
  return report;
}

}  // namespace framefleet::broker
