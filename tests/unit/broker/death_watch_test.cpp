#include "broker/core/death_watch.hpp"

#include "tests/support/catch.hpp"

using namespace framefleet;
using namespace framefleet::broker;
using namespace std::chrono_literals;

TEST_CASE("more than half of the fleet within the window raises the alarm") {
  DeathWatch deaths(60s);
  deaths.died("a", Time{0s}, 6);
  deaths.died("b", Time{1s}, 5);
  deaths.died("c", Time{2s}, 4);
  CHECK_FALSE(deaths.look(Time{3s}));  // three of six are not more than half
  CHECK_FALSE(deaths.on());
  deaths.died("d", Time{4s}, 3);
  CHECK(deaths.look(Time{4s}));
  CHECK(deaths.on());
  CHECK(deaths.count() == 4);
  CHECK_FALSE(deaths.look(Time{5s}));  // nothing new
}

TEST_CASE("one death is no pattern, however small the fleet") {
  DeathWatch deaths(60s);
  deaths.died("a", Time{0s}, 1);
  CHECK_FALSE(deaths.look(Time{1s}));
  deaths.died("b", Time{2s}, 1);
  CHECK(deaths.look(Time{2s}));
}

TEST_CASE("a worker that dies again and again counts once") {
  DeathWatch deaths(60s);
  for (int i = 0; i < 100; ++i) {
    deaths.died("flapping", Time{i * 1s}, 5);
    CHECK_FALSE(deaths.look(Time{i * 1s}));
  }
  CHECK(deaths.count() == 1);
}

TEST_CASE("the alarm ends when the deaths are old") {
  DeathWatch deaths(60s);
  CHECK(deaths.next_deadline() == kNever);
  deaths.died("a", Time{0s}, 3);
  deaths.died("b", Time{1s}, 2);
  REQUIRE(deaths.look(Time{2s}));
  CHECK(deaths.next_deadline() == Time{60s});
  CHECK_FALSE(deaths.look(Time{60s} - 1ns));
  CHECK(deaths.look(Time{60s}));
  CHECK_FALSE(deaths.on());
  CHECK(deaths.count() == 1);
  CHECK(deaths.next_deadline() == Time{61s});
}

TEST_CASE("deaths that are spread out raise no alarm") {
  DeathWatch deaths(60s);
  for (int i = 0; i < 10; ++i) {
    deaths.died("worker-" + std::to_string(i), Time{i * 61s}, 3);
    CHECK_FALSE(deaths.look(Time{i * 61s}));
  }
}

TEST_CASE("however many die, memory and time stay small") {
  DeathWatch deaths(60s);
  for (int i = 0; i < 5000; ++i) deaths.died(std::to_string(i), Time{1s}, 5000);
  CHECK(deaths.count() == 1024);
}
