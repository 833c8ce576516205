#include "shared/telemetry/signals.hpp"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace framefleet::telemetry {
namespace {

sigset_t heard_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

Signals Signals::block() {
  const sigset_t set = heard_signals();
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    throw std::system_error(error, std::generic_category(), "pthread_sigmask");
  }
  std::signal(SIGPIPE, SIG_IGN);
  const int fd = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
  return Signals{fd};
}

Signals::~Signals() {
  if (fd_ >= 0) ::close(fd_);
}

Signals::Signals(Signals&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

std::optional<int> Signals::next() const {
  signalfd_siginfo event{};
  const ssize_t got = ::read(fd_, &event, sizeof event);
  if (got != static_cast<ssize_t>(sizeof event)) return std::nullopt;
  return static_cast<int>(event.ssi_signo);
}

StopRequest::Wish StopRequest::hear(int signal) {
  const bool stop = signal == SIGTERM || signal == SIGINT;
  if (stop && asked_to_stop_) {
    wish_ = Wish::now;
  } else if (stop || signal == SIGUSR1) {
    wish_ = wish_ == Wish::now ? Wish::now : Wish::drain;
  }
  asked_to_stop_ = asked_to_stop_ || stop;
  return wish_;
}

}  // namespace framefleet::telemetry
