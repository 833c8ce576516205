// How child processes, their zygote and their pool's owner end, by themselves and by force, and
// what is left of them: nothing. Most children here are odd: they do what a picture might make them
// do.

#include "tests/support/catch.hpp"
#include "tests/unit/worker/child_pools.hpp"
#include "worker/pool/child_slot.hpp"
#include "worker/pool/process_memory.hpp"
#include "worker/pool/sandbox.hpp"

#include "shared/telemetry/monotonic.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <fstream>
#include <map>
#include <string>

namespace framefleet::worker {
namespace {

using namespace std::chrono_literals;

const std::string kOdd = FRAMEFLEET_ODD_CHILD;

/// A minute at most.
void wait_for_end_of(pid_t pid) {
  const FileDescriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  REQUIRE(pidfd);
  pollfd end{pidfd.get(), POLLIN, 0};
  REQUIRE(::poll(&end, 1, 60'000) == 1);
}

/// What an odd child's order ends with, and that the next one finds a child again.
WorkError end_of_odd(const std::string& deed) {
  const auto pool = open_pool({.program = kOdd});
  const auto done = run(*pool, order(1, "stub", deed));
  REQUIRE_FALSE(done.result.has_value());
  CHECK(run(*pool, order(2, "stub", "open")).result.error().text == "refused");
  return done.result.error();
}

TEST_CASE("what an odd child says or does ends its order as child_crashed") {
  const std::map<std::string, std::string> words{
      {"exit", "left with exit code 7"},
      {"socket", "a forbidden system call"},
      {"exec", "a forbidden system call"},
      {"trace", "a forbidden system call"},
      {"garbage", "a packet that is none of ours"},
      {"no result", "its record: "},
      {"huge result", "larger than its sheet"},
      {"false reason", "a packet that is none of ours"},
      {"gives up", "gave up what was wanted"},
      {"stages", "more stages than its task has"},
      {"sends a file", "killed"},
      {"hang up", "decode"},  // killed, or gone by itself, whichever comes first
  };
  for (const auto& [deed, expected] : words) {
    INFO(deed);
    const auto error = end_of_odd(deed);
    CHECK(error.reason == Reason::child_crashed);
    CHECK_THAT(error.text, Catch::Contains(expected));
  }
}

TEST_CASE("a refused system call fails with an error, is counted, and its child lives on") {
  const auto pool = open_pool({.program = kOdd});
  std::uint64_t refused = 0;
  for (const std::string deed : {"open", "fork", "outlive", "execute memory"}) {
    INFO(deed);
    CHECK(run(*pool, order(1, "stub", deed)).result.error().text == "refused");
    CHECK(pool->stats().denied_syscalls == ++refused);
  }
  CHECK(pool->stats().ends.empty());
}

TEST_CASE("a child is in its sandbox before it has seen a picture") {
  const auto pool = open_pool();
  while (pool->stats().children == 0) {
    REQUIRE(wait_for_news(*pool));
    CHECK(pool->take_done().empty());
  }
  const pid_t child = only_child_of(only_child_of(::getpid()));
  CHECK(status_of(child, "NoNewPrivs") == "1");
  CHECK(status_of(child, "Seccomp") == "2");
  CHECK(status_of(child, "Threads") == "1");
  rlimit limit{};
  REQUIRE(::prlimit(child, RLIMIT_CORE, nullptr, &limit) == 0);
  CHECK(limit.rlim_max == 0);
  REQUIRE(::prlimit(child, RLIMIT_NOFILE, nullptr, &limit) == 0);
  CHECK(limit.rlim_max == 64);
}

TEST_CASE("a child that is killed from outside costs its order, and another takes its place") {
  const auto pool = open_pool();
  CHECK(run(*pool, order(1, "stub")).result.has_value());
  REQUIRE(pool->start(order(2, "stub?hang=1")));
  REQUIRE(::kill(only_child_of(only_child_of(::getpid())), SIGKILL) == 0);
  const auto done = take(*pool, 1);
  CHECK(done.at(0).result.error().reason == Reason::child_crashed);
  CHECK_THAT(done.at(0).result.error().text, Catch::Contains("killed from outside"));
  CHECK(run(*pool, order(3, "stub")).result.has_value());
  CHECK(pool->stats().ends.at("killed") == 1);
}

TEST_CASE("the second end without a good answer costs a pause, which doubles up to a second") {
  CHECK(pause_after(0) == 0ms);
  CHECK(pause_after(1) == 0ms);
  CHECK(pause_after(2) == 10ms);
  CHECK(pause_after(3) == 20ms);
  CHECK(pause_after(8) == 640ms);
  CHECK(pause_after(9) == 1s);
  CHECK(pause_after(1'000'000) == 1s);
  ChildSlot slot;
  const ChildSlot::Clock::time_point now{1h};
  slot.lost(now);
  CHECK(slot.bear_at == now);
  slot.lost(now);
  CHECK(slot.bear_at == now + 10ms);
}

TEST_CASE("children that end again and again are born at growing distances") {
  const auto pool = open_pool({.program = kOdd});
  const auto begin = telemetry::monotonic_now();
  constexpr std::uint64_t kEnds = 7;
  for (std::uint64_t ticket = 1; ticket <= kEnds; ++ticket) {
    CHECK_FALSE(run(*pool, order(ticket, "stub", "exit")).result.has_value());
  }
  // All pauses but the last one, which nothing has waited for.
  CHECK(telemetry::monotonic_now() - begin >= (10 + 20 + 40 + 80 + 160) * 1ms);
  CHECK(pool->stats().ends.at("exited") == kEnds);
}

TEST_CASE("what a child may compute is raised for each order, on top of what it has used") {
  std::array<int, 2> news{};
  REQUIRE(::pipe(news.data()) == 0);
  const FileDescriptor hear(news[0]);
  FileDescriptor tell(news[1]);
  const pid_t pid = ::fork();
  if (pid == 0) {
    while (std::clock() < CLOCKS_PER_SEC) {
    }
    tell.close();
    while (true) ::pause();
  }
  tell.close();
  char end = 0;
  REQUIRE(::read(hear.get(), &end, 1) == 0);  // it has used a second
  const auto limit = [&] {
    rlimit cpu{};
    REQUIRE(::prlimit(pid, RLIMIT_CPU, nullptr, &cpu) == 0);
    return cpu.rlim_cur;
  };
  raise_cpu_limit(pid, 1s);
  CHECK(limit() == 3);  // and one for the rounding
  raise_cpu_limit(pid, 4500ms);
  CHECK(limit() == 7);
  REQUIRE(::kill(pid, SIGKILL) == 0);
  REQUIRE(::waitpid(pid, nullptr, 0) == pid);
  raise_cpu_limit(pid, 1s);  // it is gone: nothing happens
}

TEST_CASE("a child that computes for ever is ended by the kernel where its worker is stopped") {
  const auto pool = open_pool({.program = kOdd, .decode_timeout = 10ms, .detect_timeout = 10ms});
  while (run(*pool, order(1, "stub", "open")).result.error().text != "refused") {
  }  // on a busy machine its time may be over before it has a CPU
  const pid_t zygote = only_child_of(::getpid());
  const pid_t child = only_child_of(zygote);
  REQUIRE(pool->start(order(2, "stub", "burn")));
  wait_for_end_of(child);  // the pool looks away, as if it were stopped
  const auto deadline = telemetry::monotonic_now() + 1min;
  while (children_of(zygote).count(child) > 0 || status_of(zygote, "State") != "S") {
    REQUIRE(telemetry::monotonic_now() < deadline);  // until the zygote has told of it
  }
  const auto done = take(*pool, 1);
  CHECK(done.at(0).result.error().reason == Reason::decode_timeout);
  CHECK(done.at(0).result.error().text == "decode used up the CPU time of its child process");
}

TEST_CASE("a child gives back what a large picture took once it has seen a small one") {
  constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20U;
  const auto pool = open_pool({.memory_max = 1024 * kMebibyte});
  auto small = order(1, "stub");
  small.task.annotate = true;  // in colour
  CHECK(run(*pool, small).result.has_value());
  const pid_t child = only_child_of(only_child_of(::getpid()));
  const auto before = memory_share(child);
  CHECK(before > 0);
  CHECK(pool->stats().child_memory > 0);

  const std::string large_picture = grey_picture(6000, 6000);
  auto large = small;
  large.frames = {std::as_bytes(std::span(large_picture))};
  const auto done = run(*pool, large);
  if (!done.result) FAIL(done.result.error().text);
  CHECK(pool->stats().child_memory_peak > before + 128 * kMebibyte);
  CHECK(run(*pool, small).result.has_value());
  CHECK(only_child_of(only_child_of(::getpid())) == child);
  CHECK(memory_share(child) < before + 64 * kMebibyte);
}

TEST_CASE("when the zygote is killed its orders end, its children are reaped, others are born") {
  const auto pool = open_pool({.slots = 2});
  for (std::uint64_t ticket = 1; ticket <= 2; ++ticket) {
    REQUIRE(pool->start(order(ticket, "stub?hang=1")));
  }
  const auto busy = [&] {
    const auto stages = pool->stages();
    return std::all_of(stages.begin(), stages.end(),
                       [](const StageReport& report) { return report.stage == Stage::detect; });
  };
  while (!busy()) {
    REQUIRE(wait_for_news(*pool));
    CHECK(pool->take_done().empty());
  }
  const pid_t zygote = only_child_of(::getpid());
  const auto children = children_of(zygote);
  REQUIRE(children.size() == 2);
  for (const pid_t child : children) REQUIRE(::kill(child, SIGSTOP) == 0);  // none leaves by itself
  std::vector<FileDescriptor> ends;
  for (const pid_t child : children) {
    ends.emplace_back(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  }
  REQUIRE(::kill(zygote, SIGKILL) == 0);
  for (const auto& done : take(*pool, 2)) {
    CHECK(done.result.error().reason == Reason::child_crashed);
  }
  for (const auto& end : ends) {
    pollfd ended{end.get(), POLLIN, 0};
    REQUIRE(::poll(&ended, 1, 60'000) == 1);
  }
  CHECK(run(*pool, order(3, "stub")).result.has_value());
  CHECK(pool->stats().ends.at("zygote_ended") == 2);
  CHECK(only_child_of(::getpid()) != zygote);  // and none of those that came to us
}

TEST_CASE("a pool whose owner is killed leaves no process behind") {
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);  // orphans come to us
  const pid_t owner = ::fork();
  if (owner == 0) {
    const auto pool = open_pool({.slots = 2});
    static_cast<void>(run(*pool, order(1, "stub")));
    static_cast<void>(pool->start(order(2, "stub?hang=1")));
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(owner, &status, 0) == owner);
  CHECK(WTERMSIG(status) == SIGKILL);
  while (::waitpid(-1, &status, 0) > 0) {  // ends when the last of them has
  }
  CHECK(errno == ECHILD);
}

}  // namespace
}  // namespace framefleet::worker
