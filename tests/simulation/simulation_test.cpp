// The simulator itself: a failure that cannot be replayed is no help.

#include "tests/simulation/world.hpp"
#include "tests/support/catch.hpp"

#include <cstdint>
#include <vector>

using namespace framefleet::simulation;

namespace {

WorldReport run(std::uint64_t seed, bool trace) {
  WorldOptions options;
  options.seed = seed;
  options.trace = trace;
  return World(options).run();
}

}  // namespace

TEST_CASE("the same seed gives the same run, to the last event") {
  for (const std::uint64_t seed : {1U, 2U, 77U}) {
    const auto first = run(seed, true);
    const auto second = run(seed, true);
    CHECK_FALSE(first.violation.has_value());
    CHECK(first.digest == second.digest);
    CHECK(first.steps == second.steps);
    CHECK(first.trace == second.trace);
  }
}

TEST_CASE("tracing changes nothing") {
  const auto traced = run(5, true);
  const auto untraced = run(5, false);
  CHECK(traced.digest == untraced.digest);
  CHECK(traced.steps == untraced.steps);
  CHECK(untraced.trace.empty());
}

TEST_CASE("another seed gives another run") { CHECK(run(1, false).digest != run(2, false).digest); }

TEST_CASE("everything that the promises are about happens in the runs") {
  constexpr std::uint64_t kRuns = 400;
  WorldReport sum;
  for (std::uint64_t seed = 1; seed <= kRuns; ++seed) sum.add(run(seed, false));
  CHECK(sum.crashes > kRuns);
  CHECK(sum.cuts > kRuns / 2);
  CHECK(sum.drains > kRuns / 2);
  CHECK(sum.failed_self_tests > kRuns / 2);
  CHECK(sum.controls > kRuns / 2);
  CHECK(sum.lost_messages > kRuns / 2);
  CHECK(sum.busy_answers > kRuns / 2);
  CHECK(sum.stored > kRuns * 38);  // two folders of twenty pictures in each, but for cancelled jobs
  CHECK(sum.failed > kRuns * 4);   // two in ten can never be ok
  CHECK(sum.superseded > kRuns);
  CHECK(sum.expired > kRuns);
  CHECK(sum.cancelled > kRuns / 40);
  CHECK(sum.lost > kRuns / 2);
  CHECK(sum.unaccounted > kRuns / 40);
  CHECK(sum.handed_ahead > kRuns);
  CHECK(sum.recalled > kRuns);
  CHECK(sum.lined_up > kRuns);
  // They come many in one run and in few runs: of forty there were 0 to 44.
  CHECK(sum.taken_back > kRuns / 5);
  CHECK(sum.begun_before > 0);
  CHECK(sum.from_before > kRuns / 10);
  CHECK(sum.thefts > kRuns / 2);
}

TEST_CASE("a short schedule ends after its steps, and work is done in it") {
  WorldReport sum;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    WorldOptions options;
    options.seed = seed;
    options.steps_max = 200;
    options.fault_rate = 10;
    const auto report = World(options).run();
    CHECK_FALSE(report.violation.has_value());
    CHECK(report.steps == 200);
    sum.add(report);
  }
  CHECK(sum.crashes > 100);
  CHECK(sum.stored > 100);
  CHECK(sum.handed_ahead > 50);
}
