#include "cli/autoscaler.hpp"

#include "tests/support/catch.hpp"

using namespace framefleet;
using namespace framefleet::cli;
using namespace std::chrono_literals;

namespace {

constexpr ScaleStep kNothing{};
constexpr ScaleStep starts(std::uint32_t count) { return {.start = count, .drain = 0}; }
constexpr ScaleStep drains(std::uint32_t count) { return {.start = 0, .drain = count}; }

/// Looks once a second and does what was decided.
class Fleet {
 public:
  explicit Fleet(std::uint32_t min, std::uint32_t max, std::uint32_t present = 1)
      : workers(present), autoscaler_({.range = {min, max}, .up_delay = 3s, .down_delay = 60s}) {}

  ScaleStep look(std::uint64_t desired) {
    now += 1s;
    const auto step = autoscaler_.look(desired, workers, now);
    if (step != kNothing) {
      const bool up = step.start > 0;
      reversals += turned_ && up != went_up_ ? 1U : 0U;
      turned_ = true;
      went_up_ = up;
    }
    workers = workers + step.start - step.drain;
    return step;
  }
  void look_for(Duration how_long, std::uint64_t desired) {
    for (Duration passed{}; passed < how_long; passed += 1s) look(desired);
  }
  void lose_sight() { autoscaler_.lost_sight(); }

  std::uint32_t workers;
  std::uint32_t reversals{0};
  Time now{};

 private:
  Autoscaler autoscaler_;
  bool turned_{false};
  bool went_up_{false};
};

}  // namespace

TEST_CASE("a range of workers is two numbers in order") {
  CHECK(parse_worker_range("1:8") == WorkerRange{1, 8});
  CHECK(parse_worker_range("0:1") == WorkerRange{0, 1});
  CHECK(parse_worker_range("3:3") == WorkerRange{3, 3});
  CHECK(parse_worker_range("256:256") == WorkerRange{256, 256});
  for (const auto* const wrong : {"", "8", ":", "1:", ":8", "8:1", "0:0", "1:257", "-1:2", "1:2:3",
                                  "1 :2", "+1:2", "one:two", "1:99999999999999999999"}) {
    const auto range = parse_worker_range(wrong);
    CAPTURE(wrong);
    REQUIRE_FALSE(range);
    CHECK_THAT(range.error(), Catch::Contains("MIN:MAX") && Catch::Contains(wrong));
  }
}

TEST_CASE("workers are started when they were needed for a while, all that are missing") {
  Fleet fleet(1, 10);
  CHECK(fleet.look(8) == kNothing);
  CHECK(fleet.look(8) == kNothing);
  CHECK(fleet.look(7) == kNothing);
  CHECK(fleet.look(8) == starts(6));  // what every look asked for
  CHECK(fleet.look(9) == kNothing);
  CHECK(fleet.look(9) == kNothing);
  CHECK(fleet.look(9) == starts(1));  // 8 is gone from the looks; and not before the delay is over
  CHECK(fleet.look(9) == kNothing);
}

TEST_CASE("one look that is far too high starts nothing") {
  Fleet fleet(1, 100);
  fleet.look_for(1min, 1);
  CHECK(fleet.look(100) == kNothing);
  fleet.look_for(1min, 1);
  CHECK(fleet.workers == 1);
}

TEST_CASE(
    "workers are let go when they were not needed for long, down to what was needed at most") {
  Fleet fleet(1, 10, 8);
  fleet.look_for(60s, 3);
  CHECK(fleet.workers == 8);
  CHECK(fleet.look(2) == drains(5));
  CHECK(fleet.workers == 3);
  fleet.look_for(59s, 2);
  CHECK(fleet.workers == 3);  // 3 were needed a minute ago
  CHECK(fleet.look(2) == drains(1));
}

TEST_CASE("a demand that swings over a threshold makes no worker come and go") {
  Fleet fleet(1, 10);
  for (int minute = 0; minute < 60; ++minute) {
    fleet.look_for(25s, 8);
    fleet.look_for(35s, 7);
  }
  CHECK(fleet.workers == 8);
  CHECK(fleet.reversals == 0);
  for (int second = 0; second < 3600; ++second) fleet.look(second % 2 == 0 ? 9 : 5);
  CHECK(fleet.workers == 8);  // 9 never lasted, 5 neither
  CHECK(fleet.reversals == 0);
}

TEST_CASE("a demand that rises and falls is followed once up and once down") {
  Fleet fleet(1, 20);
  fleet.look_for(1min, 1);
  for (std::uint64_t desired = 1; desired <= 8; ++desired) fleet.look_for(2s, desired);
  fleet.look_for(5min, 8);
  CHECK(fleet.workers == 8);
  for (std::uint64_t desired = 8; desired >= 1; --desired) fleet.look_for(2s, desired);
  fleet.look_for(5min, 1);
  CHECK(fleet.workers == 1);
  CHECK(fleet.reversals == 1);
}

TEST_CASE("there are never fewer than the least nor more than the most, and neither waits") {
  Fleet fleet(2, 4, 0);
  CHECK(fleet.look(0) == starts(2));
  fleet.look_for(5min, 100);
  CHECK(fleet.workers == 4);
  fleet.look_for(5min, 0);
  CHECK(fleet.workers == 2);
  fleet.workers = 7;
  CHECK(fleet.look(100) == drains(3));
}

TEST_CASE("a least of none lets the last worker go, and starts the first one again") {
  Fleet fleet(0, 4);
  fleet.look_for(62s, 0);
  CHECK(fleet.workers == 0);
  fleet.look_for(4s, 1);
  CHECK(fleet.workers == 1);
}

TEST_CASE("while nothing is heard nothing is done, and what was seen before counts no more") {
  Fleet fleet(1, 10, 8);
  fleet.look_for(55s, 1);
  fleet.lose_sight();
  fleet.now += 1h;
  CHECK(fleet.look(1) == kNothing);
  fleet.look_for(58s, 1);
  CHECK(fleet.workers == 8);
  fleet.look_for(3s, 1);
  CHECK(fleet.workers == 1);

  fleet.look_for(2s, 8);
  fleet.lose_sight();
  CHECK(fleet.look(8) == kNothing);
}

TEST_CASE("a broker that comes back and knows little yet does not cost its workers") {
  Fleet fleet(1, 10, 8);
  fleet.look_for(2min, 8);
  fleet.lose_sight();
  for (std::uint64_t desired = 0; desired <= 8; ++desired) fleet.look_for(2s, desired);
  fleet.look_for(5min, 8);
  CHECK(fleet.workers == 8);
  CHECK(fleet.reversals == 0);
}
