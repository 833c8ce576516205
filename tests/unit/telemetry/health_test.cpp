#include "shared/telemetry/health.hpp"

#include "tests/support/catch.hpp"

#include "shared/telemetry/monotonic.hpp"

using namespace framefleet;
using namespace framefleet::telemetry;
using namespace std::chrono_literals;

TEST_CASE("the loop's age is the time since its last turn") {
  Health health;
  health.turned(Time{100s});
  CHECK(health.loop_age(Time{100s}) == 0s);
  CHECK(health.loop_age(Time{103500ms}) == 3500ms);
  health.turned(Time{103s});
  CHECK(health.loop_age(Time{103500ms}) == 500ms);
}

TEST_CASE("a process is not ready until its loop says so, and says why") {
  Health health;
  CHECK_FALSE(health.readiness().ready);
  CHECK(health.readiness().text == "starting");
  health.ready("serving");
  CHECK(health.readiness().ready);
  health.not_ready("draining");
  CHECK_FALSE(health.readiness().ready);
  CHECK(health.readiness().text == "draining");
}

TEST_CASE("the monotonic clock never goes back, the wall clock is past the day this was written") {
  const Time first = monotonic_now();
  CHECK(monotonic_now() >= first);
  CHECK(wall_clock_ms() > 1'767'225'600'000);  // 2026-01-01
}
