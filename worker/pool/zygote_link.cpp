#include "worker/pool/zygote_link.hpp"

#include "worker/pool/zygote.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <utility>

namespace framefleet::worker {
namespace {

/// Where the zygote finds its end of the conversation.
constexpr int kControlFd = 3;

/// All it is given. OpenCV reads its limits from the environment when it is loaded, and nothing
/// else of the worker's environment is a child's business.
std::array<std::string, 3> environment_of(const ImageLimits& limits) {
  const auto side = std::to_string(limits.side_max);
  return {"OPENCV_IO_MAX_IMAGE_PIXELS=" + std::to_string(limits.pixels_max),
          "OPENCV_IO_MAX_IMAGE_WIDTH=" + side, "OPENCV_IO_MAX_IMAGE_HEIGHT=" + side};
}

bool ends_within(pid_t pid, Duration limit) {
  const FileDescriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd end{pidfd.get(), POLLIN, 0};
  return pidfd && ::poll(&end, 1, static_cast<int>(ceil_ms(limit))) == 1;
}

class SpawnActions {
 public:
  explicit SpawnActions(int control) {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files_, control, kControlFd);
    ::posix_spawn_file_actions_addclosefrom_np(&files_, kControlFd + 1);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnActions() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;

  const posix_spawn_file_actions_t* files() const { return &files_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

Result<ZygoteLink, Error> ZygoteLink::launch(const std::string& program, const Setup& setup) {
  auto [ours, theirs] = packet_sockets();
  if (!ours) return fail(Error{std::string("cannot start child processes: ") + strerror(errno)});
  auto environment = environment_of(setup.limits);
  std::array<char*, 4> variables{environment[0].data(), environment[1].data(),
                                 environment[2].data(), nullptr};
  // What ps shows; the program itself is /proc/self/exe where it is the worker's own.
  const std::string file = std::filesystem::path(program).filename();
  std::string name = file == "exe" ? "framefleet-worker" : file;
  std::string word = kZygoteWord;
  std::string fd = std::to_string(kControlFd);
  std::array<char*, 4> arguments{name.data(), word.data(), fd.data(), nullptr};
  const SpawnActions actions(theirs.get());
  pid_t pid = 0;
  if (const int error = ::posix_spawn(&pid, program.c_str(), actions.files(), actions.attributes(),
                                      arguments.data(), variables.data());
      error != 0) {
    return fail(Error{"cannot start " + program + " for child processes: " + strerror(error)});
  }
  ZygoteLink link(pid, std::move(ours));
  if (!send_packet(link.fd(), encode(ToZygote(setup)), {}, Wait::no)) {
    return fail(Error{"the process that children are born from ended at once"});
  }
  return link;
}

ZygoteLink::ZygoteLink(ZygoteLink&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      heard_of_(other.heard_of_),
      control_(std::move(other.control_)) {}

ZygoteLink::~ZygoteLink() {
  if (pid_ == 0) return;
  control_.close();
  ::kill(pid_, SIGCONT);  // one that was stopped would not hear it
  // Before its first word it may hang in a library or a model, and has no children to lose.
  if (!heard_of_ || !ends_within(pid_, kEndMax)) kill();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ZygoteLink::kill() const { ::kill(pid_, SIGKILL); }

bool ZygoteLink::bear(std::uint64_t serial, int link, int answers) {
  const std::array files{link, answers};
  return send_packet(control_.get(), encode(ToZygote(Bear{serial})), files, Wait::no);
}

Heard ZygoteLink::hear(std::optional<Word>& out) {
  const Heard heard = receive_packet(control_.get(), 1, Wait::no, packet_);
  if (heard != Heard::packet) return heard;
  const auto message = decode_from_zygote(packet_.bytes);
  if (!message) return Heard::closed;
  heard_of_ = true;
  out.emplace(Word{*message, {}});
  if (!packet_.files.empty()) out->pidfd = std::move(packet_.files[0]);
  return Heard::packet;
}

}  // namespace framefleet::worker
