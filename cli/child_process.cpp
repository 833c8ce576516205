#include "cli/child_process.hpp"

#include "shared/config/load.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace framefleet::cli {
namespace {

constexpr int kProgressFd = 3;

std::string system_text(int error) { return std::strerror(error); }

/// What the child needs between fork and exec, made before the fork: no allocation in between.
struct Launch {
  std::vector<char*> argv;
  std::vector<char*> environment;
  int stdin_fd;
  int stdout_fd;
  int log_fd;
  int progress_fd;
  int report_fd;  ///< Close-on-exec: carries errno if exec fails.
  pid_t parent;
};

/// The system call itself: <sys/pidfd.h> of glibc 2.36 declares no C linkage for its wrapper.
FileDescriptor open_pidfd(pid_t pid) {
  return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

void give_default_signals() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2, SIGCHLD}) {
    ::signal(number, SIG_DFL);
  }
  ::signal(SIGTTIN, SIG_IGN);  // Reading a terminal from the background fails instead of stopping.
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void become(const Launch& launch) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != launch.parent) ::_exit(exit_code::kInternal);  // It died before the prctl.
  ::setpgid(0, 0);
  give_default_signals();
  const bool wired = (launch.stdin_fd < 0 || ::dup2(launch.stdin_fd, STDIN_FILENO) >= 0) &&
                     ::dup2(launch.stdout_fd, STDOUT_FILENO) >= 0 &&
                     ::dup2(launch.log_fd, STDERR_FILENO) >= 0 &&
                     (launch.progress_fd < 0 || ::dup2(launch.progress_fd, kProgressFd) >= 0);
  // Whatever this program itself was started with stays out of the child.
  const unsigned first = launch.progress_fd < 0 ? kProgressFd : kProgressFd + 1;
  ::close_range(first, ~0U, CLOSE_RANGE_CLOEXEC);
  if (wired) ::execvpe(launch.argv[0], launch.argv.data(), launch.environment.data());
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(launch.report_fd, &error, sizeof error);
  ::_exit(exit_code::kInternal);
}

/// A descriptor above those that the child rewires, so that dup2 can neither clobber it nor be a
/// no-op that leaves close-on-exec set.
Result<FileDescriptor, Error> lifted(int fd, const std::string& what) {
  FileDescriptor copy(fd < 0 ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, kProgressFd + 1));
  if (!copy) return fail(Error{.text = what + ": " + system_text(errno)});
  return copy;
}

/// None where there is none.
Result<FileDescriptor, Error> passed_on(int fd) {
  if (fd < 0) return FileDescriptor();
  return lifted(fd, "cannot pass on a pipe");
}

struct Pipe {
  FileDescriptor read_end;
  FileDescriptor write_end;
};

Result<Pipe, Error> make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(Error{.text = "cannot make a pipe: " + system_text(errno)});
  }
  Pipe pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
  auto write_end = lifted(pipe.write_end.get(), "cannot make a pipe");
  if (!write_end) return fail(write_end.error());
  pipe.write_end = *std::move(write_end);
  return pipe;
}

/// 0 when the child has become the program, else the errno that kept it from that.
int exec_error(const Pipe& report) {
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(report.read_end.get(), &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(sizeof error) ? error : 0;
}

}  // namespace

Result<ChildProcess, Error> ChildProcess::spawn(const Command& command, const Streams& streams) {
  const FileDescriptor log_file(
      streams.log.empty()
          ? -1
          : ::open(streams.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  auto log = streams.log.empty() ? lifted(STDERR_FILENO, "cannot pass on stderr")
                                 : lifted(log_file.get(), "cannot write " + streams.log.string());
  if (!log) return fail(Error{.text = log.error().text, .exit_code = exit_code::kCannotCreate});
  const FileDescriptor null_file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  auto nothing = lifted(null_file.get(), "cannot open /dev/null");
  if (!nothing) return fail(nothing.error());
  auto progress = passed_on(streams.progress_fd);
  if (!progress) return fail(progress.error());
  auto out = passed_on(streams.stdout_fd);
  if (!out) return fail(out.error());
  auto report = make_pipe();
  if (!report) return fail(report.error());

  std::vector<std::string> words{command.program};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  auto environment = config::environment_for_children();
  Launch launch{.argv = {},
                .environment = {},
                .stdin_fd = streams.keep_stdin ? -1 : nothing->get(),
                .stdout_fd = *out ? out->get() : log->get(),
                .log_fd = log->get(),
                .progress_fd = progress->get(),
                .report_fd = report->write_end.get(),
                .parent = ::getpid()};
  for (std::string& word : words) launch.argv.push_back(word.data());
  launch.argv.push_back(nullptr);
  for (std::string& variable : environment) launch.environment.push_back(variable.data());
  launch.environment.push_back(nullptr);

  const pid_t pid = ::fork();
  if (pid < 0) return fail(Error{.text = "cannot start a process: " + system_text(errno)});
  if (pid == 0) become(launch);
  report->write_end.close();
  ChildProcess child(pid, open_pidfd(pid));
  if (!child.pidfd_) {
    const int error = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return fail(Error{.text = "cannot watch a process: " + system_text(error)});
  }
  if (const int error = exec_error(*report); error != 0) {
    const bool searched = command.program.find('/') == std::string::npos;
    return fail(Error{.text = "cannot run " + command.program + ": " + system_text(error) +
                              (searched ? " (neither beside this program nor in PATH)" : "")});
  }
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept = default;

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (!pidfd_) return;
  signal(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void ChildProcess::signal(int number) {
  // By pid: it is ours until reaped, so it cannot have been given to another process.
  if (pidfd_) ::kill(pid_, number);
}

std::optional<ExitStatus> ChildProcess::reap() {
  int status = 0;
  if (!pidfd_ || ::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pidfd_.close();
  if (WIFSIGNALED(status)) return ExitStatus{.code = 0, .signal = WTERMSIG(status)};
  return ExitStatus{.code = WEXITSTATUS(status), .signal = 0};
}

}  // namespace framefleet::cli
