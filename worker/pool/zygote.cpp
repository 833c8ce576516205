#include "worker/pool/zygote.hpp"

#include "worker/detectors/faces.hpp"
#include "worker/pool/child_wire.hpp"
#include "worker/pool/model_wire.hpp"
#include "worker/pool/warm_up.hpp"

#include "shared/base/assert.hpp"
#include "shared/base/failpoint.hpp"
#include "shared/processes/linked_process.hpp"
#include "shared/processes/packet.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <map>

namespace framefleet::worker {
namespace {

/// Signals that a terminal or a supervisor sends to the whole group: the worker decides.
constexpr std::array kOfTheWorker{SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE};

/// A fork takes only the thread that forks along; the locks of others would stay taken for ever.
bool has_one_thread() {
  std::error_code error;
  std::filesystem::directory_iterator tasks("/proc/self/task", error);
  return error || std::distance(begin(tasks), end(tasks)) == 1;
}

sigset_t only(int signal) {
  sigset_t set;
  ::sigemptyset(&set);
  if (signal != 0) ::sigaddset(&set, signal);
  return set;
}

class Zygote {
 public:
  Zygote(FileDescriptor control, ChildProgram program, OtherDecoder others)
      : control_(std::move(control)), program_(program), others_(others) {
    const sigset_t deaths = only(SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &deaths, nullptr);
    deaths_ = FileDescriptor(::signalfd(-1, &deaths, SFD_CLOEXEC | SFD_NONBLOCK));
    FRAMEFLEET_ASSERT(deaths_);
  }

  int run() {
    if (!set_up()) return exit_code::kInternal;
    FRAMEFLEET_ASSERT(has_one_thread());
    // From here on the end of the link says that the worker is gone, and the children are reaped
    // before this process ends: none of them stays where nobody reaps orphans.
    ::prctl(PR_SET_PDEATHSIG, SIGCONT, 0, 0, 0);  // to hear it, were it stopped
    bool worker_is_there = true;
    while (worker_is_there) {
      std::array<pollfd, 2> fds{{{control_.get(), POLLIN, 0}, {deaths_.get(), POLLIN, 0}}};
      if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) break;
      if (fds[1].revents != 0) reap();
      if (fds[0].revents != 0) worker_is_there = hear();
    }
    for (const auto& [pid, serial] : children_) ::kill(pid, SIGKILL);
    for (const auto& [pid, serial] : children_) ::waitpid(pid, nullptr, 0);
    return exit_code::kOk;
  }

 private:
  bool set_up() {
    Packet packet;
    if (receive_packet(control_.get(), 1, Wait::yes, packet) != Heard::packet) return false;
    auto word = decode_to_zygote(packet.bytes);
    auto* setup = word ? std::get_if<Setup>(&*word) : nullptr;
    if (setup == nullptr || packet.files.size() != 1) return false;
    auto models = unpack({std::move(packet.files[0]), std::move(setup->model_bytes)});
    if (!models) return false;
    memory_max_ = setup->memory_max;
    WorkbenchOptions options;
    options.limits = setup->limits;
    options.others = others_;
    options.detectors.cascade_folder = setup->cascade_folder;
    options.detectors.models = *models;
    options.detectors.cascades = read_cascades(options.detectors);
    bench_ = std::make_unique<Workbench>(std::move(options));
    warm_up(*bench_, setup->detectors);
    warm_up_networks(*bench_, setup->detectors, *models);
    return true;
  }

  bool hear() {
    Packet packet;
    if (receive_packet(control_.get(), 2, Wait::yes, packet) != Heard::packet) return false;
    const auto word = decode_to_zygote(packet.bytes);
    const auto* bear = word ? std::get_if<Bear>(&*word) : nullptr;
    if (bear == nullptr || packet.files.size() != 2) return false;
    const pid_t pid = ::fork();
    if (pid == 0) become_child(packet);
    failpoint("child.born");
    if (pid < 0) return tell(Born{bear->serial, 0}, {});
    children_.emplace(pid, bear->serial);
    const FileDescriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd) {
      ::kill(pid, SIGKILL);  // without a pidfd nobody could stop it later
      return tell(Born{bear->serial, 0}, {});
    }
    const std::array files{pidfd.get()};
    return tell(Born{bear->serial, pid}, files);
  }

  [[noreturn]] void become_child(Packet& packet) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    ::prctl(PR_SET_NAME, "framefleet-eye", 0, 0, 0);
    control_.close();
    deaths_.close();
    const sigset_t none = only(0);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    Birthright own{std::move(packet.files[0]), std::move(packet.files[1]), memory_max_,
                   bench_.get()};
    ::_exit(program_(own));
  }

  void reap() {
    signalfd_siginfo ignored{};
    while (::read(deaths_.get(), &ignored, sizeof ignored) > 0) {
    }
    int status = 0;
    for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0;
         pid = ::waitpid(-1, &status, WNOHANG)) {
      const auto child = children_.find(pid);
      if (child == children_.end()) continue;
      static_cast<void>(tell(Died{child->second, status}, {}));  // a worker that left is seen next
      children_.erase(child);
    }
  }

  bool tell(const FromZygote& message, std::span<const int> files) {
    return send_packet(control_.get(), encode(message), files, Wait::yes);
  }

  FileDescriptor control_;
  FileDescriptor deaths_;  ///< Readable when a child has died.
  ChildProgram program_;
  OtherDecoder others_;
  std::uint64_t memory_max_{0};
  std::unique_ptr<Workbench> bench_;         ///< Every child works on its own copy of it.
  std::map<pid_t, std::uint64_t> children_;  ///< Their serials.
};

}  // namespace

std::optional<int> run_as_zygote(int argc, const char* const* argv, ChildProgram program,
                                 OtherDecoder others) {
  const auto link = link_in(argc, argv, kZygoteWord);
  if (!link) return std::nullopt;
  if (*link < 0) return exit_code::kUsage;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);  // while it is busy with itself
  for (const int signal : kOfTheWorker) ::signal(signal, SIG_IGN);
  return Zygote(FileDescriptor(*link), program, others).run();
}

}  // namespace framefleet::worker
