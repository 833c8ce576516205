// The simulator itself: a failure that cannot be replayed is no help.

#include "tests/simulation/world.hpp"
#include "tests/support/catch.hpp"

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

TEST_CASE("faults happen in a run, and pictures fail in it as they must") {
  std::uint64_t crashes = 0;
  std::uint64_t cuts = 0;
  std::uint64_t lost = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto report = run(seed, false);
    crashes += report.crashes;
    cuts += report.cuts;
    lost += report.lost_messages;
    CHECK(report.stored == 40);
    CHECK(report.failed >= 8);  // two in ten of forty can never be ok
  }
  CHECK(crashes > 20);
  CHECK(cuts > 20);
  CHECK(lost > 20);
}
