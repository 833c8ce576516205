#include "shared/processes/linked_process.hpp"

#include "shared/processes/packet.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

namespace framefleet {
namespace {

/// Where it finds its end of the conversation.
constexpr int kControlFd = 3;

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

Result<LinkedProcess, Error> start_linked(LinkedProgram program) {
  auto [ours, theirs] = packet_sockets();
  if (!ours) return fail(Error{std::string("cannot start child processes: ") + strerror(errno)});
  std::vector<char*> variables;
  for (auto& variable : program.environment) variables.push_back(variable.data());
  variables.push_back(nullptr);
  std::string fd = std::to_string(kControlFd);
  std::array<char*, 4> arguments{program.name.data(), program.word.data(), fd.data(), nullptr};
  const SpawnActions actions(theirs.get());
  pid_t pid = 0;
  if (const int error = ::posix_spawn(&pid, program.path.c_str(), actions.files(),
                                      actions.attributes(), arguments.data(), variables.data());
      error != 0) {
    return fail(Error{"cannot start " + program.path + " for child processes: " + strerror(error)});
  }
  return LinkedProcess{pid, std::move(ours)};
}

std::optional<int> link_in(int argc, const char* const* argv, const char* word) {
  if (argc != 3 || std::string_view(argv[1]) != word) return std::nullopt;
  const std::string_view number = argv[2];
  int fd = -1;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), fd);
  return read.ec != std::errc() || fd < 0 ? -1 : fd;
}

}  // namespace framefleet
