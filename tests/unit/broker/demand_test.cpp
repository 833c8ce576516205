#include "broker/core/demand.hpp"

#include "tests/support/catch.hpp"

using namespace framefleet;
using namespace framefleet::broker;
using namespace std::chrono_literals;

namespace {

constexpr DemandOptions kOptions{.window = 10s, .drain_target = 1min};

/// Offers one picture after the other, and moves the time on.
class Offers {
 public:
  explicit Offers(std::uint64_t workers = 1, std::uint64_t slots = 1) {
    demand.note_workers(workers, slots);
  }
  void at_rate(double per_second, Duration service, Duration how_long) {
    const auto interval = std::chrono::duration_cast<Duration>(1s / per_second);
    next_at_ = std::max(next_at_, now);
    now += how_long;
    for (; next_at_ < now; next_at_ += interval) demand.offered(1, service, next_at_);
  }
  std::uint64_t desired(const KnownWork& known = {}) const {
    return demand.row(known, now).desired_workers;
  }

  Demand demand{kOptions};
  Time now{};

 private:
  Time next_at_{};
};

KnownWork waiting(double batch_seconds) {
  return {.any = true, .batch_seconds = batch_seconds, .paced_slots = 0};
}

}  // namespace

TEST_CASE("sixty frames a second of a tenth of a second each need eight workers, five need one") {
  Offers offers;
  offers.at_rate(60, 100ms, 10s);
  CHECK(offers.desired() == 8);  // 60 x 0.1 / 0.8 = 7.5
  offers.at_rate(5, 100ms, 20s);
  CHECK(offers.desired() == 1);  // 5 x 0.1 / 0.8 = 0.625
}

TEST_CASE("a number that comes out whole is not rounded up to the next one") {
  Offers offers;
  offers.at_rate(64, 100ms, 10s);
  CHECK(offers.desired() == 8);
  offers.demand.offered(1, 1s, offers.now);  // 64 x 0.1 / 0.8 + 0.125
  CHECK(offers.desired() == 9);
}

TEST_CASE("sources with different needs add up") {
  Offers offers;
  for (int i = 0; i < 100; ++i) {
    offers.demand.offered(1, 300ms, offers.now);  // a slow detector, ten a second: 3 slots
    offers.demand.offered(2, 20ms, offers.now);   // a quick one, twenty: 0.4
    offers.now += 100ms;
  }
  CHECK(offers.desired() == 5);  // 3.4 / 0.8 = 4.25
}

TEST_CASE("batch tasks that wait are to be done within the target") {
  Offers offers;
  CHECK(offers.desired(waiting(60)) == 1);
  CHECK(offers.desired(waiting(61)) == 2);
  CHECK(offers.desired(waiting(600)) == 10);
  offers.at_rate(60, 100ms, 10s);
  CHECK(offers.desired(waiting(24)) == 8);  // 7.5 + 0.4
  CHECK(offers.desired(waiting(36)) == 9);  // 7.5 + 0.6
}

TEST_CASE("batch sources that say their pace need not be measured") {
  const Offers offers;
  CHECK(offers.desired({.any = true, .batch_seconds = 0, .paced_slots = 6}) == 8);
}

TEST_CASE("workers with several slots are fewer; of unlike ones the mean counts") {
  Offers offers(2, 8);
  offers.at_rate(60, 100ms, 10s);
  CHECK(offers.desired() == 2);  // 7.5 / 4
  offers.demand.note_workers(3, 8);
  CHECK(offers.desired() == 3);  // 7.5 / 2.67
}

TEST_CASE("when the last worker has gone what a worker has is remembered") {
  Offers offers(2, 8);
  offers.demand.note_workers(0, 0);
  offers.at_rate(60, 100ms, 10s);
  CHECK(offers.desired() == 2);
}

TEST_CASE("where there never was a worker it is taken to have one slot") {
  Demand demand(kOptions);
  demand.offered(75, 100ms, Time{});
  CHECK(demand.row({}, Time{}).desired_workers == 1);  // 0.75 / 0.8
  demand.offered(75, 100ms, Time{});
  CHECK(demand.row({}, Time{}).desired_workers == 2);
}

TEST_CASE("nothing offered and nothing waiting needs no worker, also soon after there was much") {
  Offers offers;
  CHECK(offers.desired() == 0);
  offers.at_rate(60, 100ms, 30s);
  offers.now += 10s + 1s;
  CHECK(offers.desired() == 0);
}

TEST_CASE("what nobody has measured needs a worker, to be measured") {
  Offers offers;
  offers.at_rate(1000, 0ms, 10s);
  CHECK(offers.desired() == 1);
  CHECK(Offers().desired({.any = true, .batch_seconds = 0, .paced_slots = 0}) == 1);
}

TEST_CASE("the number follows a step within the window, without going too far") {
  Offers offers;
  offers.at_rate(5, 100ms, 20s);
  std::uint64_t before = 1;
  for (int second = 1; second <= 20; ++second) {
    offers.at_rate(60, 100ms, 1s);
    CHECK(offers.desired() >= before);
    CHECK(offers.desired() <= 8);
    before = offers.desired();
    if (second >= 10) CHECK(before == 8);
  }
}

TEST_CASE("a steady rate gives a steady number, wherever it is looked at") {
  for (const double rate : {1.0, 4.9, 25.0, 31.1, 60.0}) {
    Offers offers;
    offers.at_rate(rate, 100ms, 20s);
    const auto slots = rate * 0.1;
    const auto picture = 0.1 / 10;  // by itself, over the window
    for (int look = 0; look < 200; ++look) {
      offers.at_rate(rate, 100ms, 137ms);
      const auto offered = offers.demand.row({}, offers.now).offered_slots;
      CAPTURE(rate, offered);
      CHECK(offered == Approx(slots).margin(1.5 * picture));
    }
  }
}

TEST_CASE("made-up numbers ask for many workers and not for what no number holds") {
  Offers offers;
  offers.demand.offered(1e18, 1h, offers.now);
  CHECK(offers.desired() == 100'000);
  CHECK(Offers().desired(waiting(1e300)) == 100'000);
}

TEST_CASE("a sliding sum forgets exactly what has left its window") {
  SlidingSum sum(16s);
  sum.add(8, Time{} + 500ms);
  CHECK(sum.per_second(Time{} + 500ms) == Approx(0.5));
  CHECK(sum.per_second(Time{} + 15s) == Approx(0.5));
  CHECK(sum.per_second(Time{} + 16500ms) == Approx(0.25));  // half of its second has left
  CHECK(sum.per_second(Time{} + 17s) == 0);
  CHECK(sum.per_second(Time{} + 1h) == 0);
  sum.add(16, Time{} + 2h);
  CHECK(sum.per_second(Time{} + 2h) == Approx(1));
  sum.add(16, Time{} + 2h + 20s);
  CHECK(sum.per_second(Time{} + 2h + 20s) == Approx(1));
}
