// Children and zygotes that do not come up: what the pool does about each, and when it gives up.

#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"
#include "tests/unit/worker/child_pools.hpp"

#include "shared/telemetry/monotonic.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>

namespace framefleet::worker {
namespace {

using namespace std::chrono_literals;

/// odd_start.cpp under the name that says how it is odd.
class OddStart {
 public:
  std::string as(const std::string& name) const {
    const auto link = folder_.path() / name;
    std::filesystem::create_symlink(FRAMEFLEET_ODD_START, link);
    return link.string();
  }

 private:
  test::TemporaryFolder folder_;
};

std::uint64_t count_of(const std::map<std::string_view, std::uint64_t>& ends,
                       const std::string& cause) {
  const auto found = ends.find(cause);
  return found == ends.end() ? 0 : found->second;
}

/// Turns the pool until `check` holds.
template <class Check>
void turn_until(Pool& pool, Check check) {
  while (!check()) {
    REQUIRE(wait_for_news(pool));
    CHECK(pool.take_done().empty());
  }
}

TEST_CASE("where no child can be started an order ends in its time, and says so") {
  const OddStart program;
  constexpr Duration kStartMax = 150ms;
  const auto pool = open_pool({.program = program.as("stillborn"), .start_max = kStartMax});
  while (pool->stats().ends.count("exited") == 0) {
    REQUIRE(wait_for_news(*pool));
    CHECK(pool->take_done().empty());
  }
  const auto begin = telemetry::monotonic_now();
  const auto done = run(*pool, order(1, "stub"));
  CHECK(telemetry::monotonic_now() - begin >= kStartMax);
  REQUIRE_FALSE(done.result.has_value());
  CHECK(done.result.error().reason == Reason::child_crashed);
  CHECK(done.result.error().text == "no child process could be started");
  CHECK(pool->stats().children == 0);
  CHECK(pool->in_use() == 0);
}

TEST_CASE("a child that is never ready is killed at its budget, and another one is born") {
  const OddStart program;
  const auto pool = open_pool({.program = program.as("never-ready"), .child_start_max = 20ms});
  turn_until(*pool, [&] { return count_of(pool->stats().ends, "start_timeout") >= 3; });
  CHECK(pool->stats().zygote_ends.empty());
  CHECK(pool->fault().empty());
}

TEST_CASE("a zygote that never bears a child is replaced, and after so many the pool gives up") {
  const OddStart program;
  const auto begin = telemetry::monotonic_now();
  const auto pool = open_pool({.program = program.as("never-warm"), .warm_up_max = 20ms});
  turn_until(*pool, [&] { return !pool->fault().empty(); });
  CHECK(telemetry::monotonic_now() - begin >= 8 * 20ms);
  CHECK(count_of(pool->stats().zygote_ends, "late") == 8);
  CHECK_THAT(pool->fault(), Catch::Contains("ended 8 times in a row"));
  CHECK(children_of(::getpid()).empty());
}

TEST_CASE("zygotes that end as soon as a child is ready are started at growing distances") {
  const OddStart program;
  const auto begin = telemetry::monotonic_now();
  const auto pool = open_pool({.program = program.as("short-lived"), .detectors = {"stub"}});
  turn_until(*pool, [&] { return !pool->fault().empty(); });
  // Before the third and each later one up to the eighth.
  CHECK(telemetry::monotonic_now() - begin >= (10 + 20 + 40 + 80 + 160 + 320) * 1ms);
  CHECK(count_of(pool->stats().zygote_ends, "ended") == 8);
  while (::waitpid(-1, nullptr, 0) > 0) {  // children of the last of them come to us
  }
}

TEST_CASE("a zygote that stands still is replaced when a child is to be born or reaped") {
  const auto pool = open_pool({.zygote_answer_max = 2s, .detectors = {"stub"}});
  CHECK(run(*pool, order(1, "stub")).result.has_value());
  const pid_t zygote = only_child_of(::getpid());
  const pid_t child = only_child_of(zygote);
  REQUIRE(::kill(zygote, SIGSTOP) == 0);
  REQUIRE(::kill(child, SIGKILL) == 0);
  turn_until(*pool, [&] { return count_of(pool->stats().zygote_ends, "late") == 1; });
  CHECK(run(*pool, order(2, "stub")).result.has_value());
  CHECK(pool->fault().empty());
}

TEST_CASE("a pool ends at once though its zygote never comes up") {
  const OddStart program;
  { const auto pool = open_pool({.program = program.as("never-warm")}); }
  CHECK(children_of(::getpid()).empty());
}

}  // namespace
}  // namespace framefleet::worker
