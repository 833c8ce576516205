// The definition of failpoint() that obeys. Two variables of the environment:
//
//   FRAMEFLEET_FAILPOINT      POINT=ACTION[@HIT][,…]: at its HIT-th time (1), ACTION is one of
//                             crash       kill -9 of oneself
//                             crash:MS    the same, so many milliseconds later: what was handed to
//                                         another thread before is done by then
//                             sleep:MS    this thread stands still
//   FRAMEFLEET_FAILPOINT_LOG  a file to which a line is appended, `POINT`, when a point is first
//                             passed, and `POINT ACTION` before an action
//
// A hit counts for all processes that were forked from one: it is the n-th child that dies, and not
// each one for ever. Whoever was started without these variables takes those of the process that
// started it, because a worker gives its children an environment of their own.

#include "shared/base/failpoint.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <new>
#include <optional>
#include <string>

namespace framefleet {
namespace {

struct Action {
  bool crash{false};
  std::uint64_t delay_ms{0};
  std::uint64_t hit{1};
  std::string text;
};

using Hits = std::array<std::atomic<std::uint64_t>, kFailpoints.size()>;

std::string variable(const std::string& name) {
  if (const char* value = std::getenv(name.c_str()); value != nullptr) return value;
  std::ifstream file("/proc/" + std::to_string(::getppid()) + "/environ", std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  for (std::size_t at = 0; at < all.size();) {
    const auto entry = all.substr(at, all.find('\0', at) - at);
    if (entry.starts_with(name + "=")) return entry.substr(name.size() + 1);
    at += entry.size() + 1;
  }
  return {};
}

[[noreturn]] void refuse(const std::string& order) {
  std::fprintf(stderr, "FRAMEFLEET_FAILPOINT: '%s' is no order\n", order.c_str());
  std::_Exit(64);
}

/// Takes `mark` and the number behind it off the end of `text`.
std::optional<std::uint64_t> number_behind(char mark, std::string& text) {
  const auto at = text.find(mark);
  if (at == std::string::npos) return std::nullopt;
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + at + 1, end, number);
  if (read.ec != std::errc{} || read.ptr != end) refuse(text);
  text.resize(at);
  return number;
}

class Orders {
 public:
  Orders() {
    const auto all = variable("FRAMEFLEET_FAILPOINT");
    for (std::size_t at = 0; at < all.size();) {
      const auto order = all.substr(at, all.find(',', at) - at);
      take(order);
      at += order.size() + 1;
    }
    if (const auto path = variable("FRAMEFLEET_FAILPOINT_LOG"); !path.empty()) {
      log_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
      if (log_ < 0) refuse(path);
    }
    void* const memory =
        ::mmap(nullptr, sizeof(Hits), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) refuse("memory");
    hits_ = new (memory) Hits{};
  }

  void pass(std::string_view name) {
    const auto place = static_cast<std::size_t>(
        std::find(kFailpoints.begin(), kFailpoints.end(), name) - kFailpoints.begin());
    const auto hit = hits_->at(place).fetch_add(1) + 1;
    if (hit == 1) note(std::string(name));
    const auto& action = actions_.at(place);
    if (!action || action->hit != hit) return;
    note(std::string(name) + " " + action->text);
    stand_still(action->delay_ms);
    // Allowed even in the sandbox of a child.
    if (action->crash) ::syscall(SYS_tgkill, ::getpid(), ::syscall(SYS_gettid), SIGKILL);
  }

 private:
  void take(const std::string& order) {
    const auto equals = order.find('=');
    const auto* const place =
        std::find(kFailpoints.begin(), kFailpoints.end(), order.substr(0, equals));
    if (equals == std::string::npos || place == kFailpoints.end()) refuse(order);
    Action action;
    action.text = order.substr(equals + 1);
    auto verb = action.text;
    action.hit = number_behind('@', verb).value_or(1);
    const auto delay_ms = number_behind(':', verb);
    action.delay_ms = delay_ms.value_or(0);
    action.crash = verb == "crash";
    if (!action.crash && (verb != "sleep" || !delay_ms)) refuse(order);
    actions_.at(static_cast<std::size_t>(place - kFailpoints.begin())) = std::move(action);
  }

  void note(const std::string& words) const {
    const auto line = words + "\n";
    if (log_ >= 0 && ::write(log_, line.data(), line.size()) < 0) std::abort();
  }

  static void stand_still(std::uint64_t delay_ms) {
    timespec left{static_cast<time_t>(delay_ms / 1000),
                  static_cast<long>(delay_ms % 1000 * 1'000'000)};
    while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
  }

  std::array<std::optional<Action>, kFailpoints.size()> actions_;
  int log_{-1};
  Hits* hits_{nullptr};  // in memory that forked processes share
};

// Before main: a worker's children are forked where no file can be opened any more.
Orders orders;

}  // namespace

void failpoint(FailpointName here) noexcept { orders.pass(here.text()); }

}  // namespace framefleet
