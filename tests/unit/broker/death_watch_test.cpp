#include "broker/core/death_watch.hpp"

#include "tests/support/catch.hpp"

using namespace framefleet;
using namespace framefleet::broker;
using namespace std::chrono_literals;

TEST_CASE("more than half of the fleet within the window raises the alarm") {
  DeathWatch deaths(60s);
  for (int i = 0; i < 3; ++i) deaths.died(Time{i * 1s}, 6U - static_cast<std::uint64_t>(i));
  CHECK_FALSE(deaths.look(Time{3s}));  // three of six are not more than half
  CHECK_FALSE(deaths.on());
  deaths.died(Time{4s}, 3);
  CHECK(deaths.look(Time{4s}));
  CHECK(deaths.on());
  CHECK(deaths.count() == 4);
  CHECK_FALSE(deaths.look(Time{5s}));  // nothing new
}

TEST_CASE("one or two deaths are no pattern, however small the fleet") {
  DeathWatch deaths(60s);
  deaths.died(Time{0s}, 2);
  deaths.died(Time{1s}, 1);
  CHECK_FALSE(deaths.look(Time{1s}));
  deaths.died(Time{2s}, 1);
  CHECK(deaths.look(Time{2s}));
}

TEST_CASE("the alarm ends when the deaths are old") {
  DeathWatch deaths(60s);
  CHECK(deaths.next_deadline() == kNever);
  for (int i = 0; i < 3; ++i) deaths.died(Time{i * 1s}, 3);
  REQUIRE(deaths.look(Time{2s}));
  CHECK(deaths.next_deadline() == Time{60s});
  CHECK_FALSE(deaths.look(Time{60s} - 1ns));
  CHECK(deaths.look(Time{60s}));
  CHECK_FALSE(deaths.on());
  CHECK(deaths.count() == 2);
  CHECK(deaths.next_deadline() == Time{61s});
}

TEST_CASE("deaths that are spread out raise no alarm") {
  DeathWatch deaths(60s);
  for (int i = 0; i < 10; ++i) {
    deaths.died(Time{i * 31s}, 3);
    CHECK_FALSE(deaths.look(Time{i * 31s}));
  }
}
