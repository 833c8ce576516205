// Live sources: how old a frame is when work on it begins, and what becomes of the others.

#include "tests/support/catch.hpp"
#include "tests/virtual_time/figures.hpp"
#include "tests/virtual_time/lab.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace framefleet;
using namespace framefleet::virtual_time;
using namespace std::chrono_literals;

namespace {

constexpr Duration kFrame = Duration{1s} / 30;

SourcePlan camera(const std::string& name, std::uint64_t frames, Duration starts_after = {}) {
  return {.name = name,
          .pictures = frames,
          .interval = kFrame,
          .task_class = TaskClass::live,
          .starts_after = starts_after};
}

}  // namespace

TEST_CASE("three cameras of 30 frames a second share a worker of ten: fresh, equal, all counted") {
  Lab lab;
  lab.add_worker({.service = always(100ms)});
  for (int i = 0; i < 3; ++i) {
    lab.add_source(camera("camera-" + std::to_string(i), 1800, 11ms * i));
  }
  REQUIRE(lab.run_to_end(70s));
  CHECK(lab.ledger_errors() == "");
  CHECK(lab.broker_bytes() == 0);

  std::vector<std::uint64_t> served;
  std::vector<Duration> ages;
  std::uint64_t superseded = 0;
  std::uint64_t gaps = 0;  // runs of superseded frames
  for (std::size_t i = 0; i < 3; ++i) {
    const auto account = lab.source_row(i).account;
    const auto stats = lab.producer_stats(i);
    CHECK(lab.tasks(i).size() == 1800);
    CHECK(account.submitted + stats.skipped == 1800);
    CHECK(stats.skipped == 0);
    CHECK(account.settled_as(Status::superseded) ==
          account.submitted - account.settled_as(Status::ok));
    CHECK(lab.count(i, Status::superseded) == account.settled_as(Status::superseded));
    served.push_back(lab.count(i, Status::ok));
    superseded += lab.count(i, Status::superseded);
    bool in_gap = false;
    for (const auto& task : lab.tasks(i)) {
      CHECK(task.stored == 1);
      if (!task.is_ok() && !in_gap) ++gaps;
      in_gap = !task.is_ok();
      if (task.starts == 0) continue;
      CHECK(task.is_ok());
      ages.push_back(task.age_at_start());
      // Never an old one: the next frame would have taken its place. (None comes after the last.)
      if (task.sequence < 1799) CHECK(task.age_at_start() <= kFrame + 4 * lab.wire_delay());
    }
  }
  CHECK(p95(ages) <= 2 * kFrame);
  const auto [least, most] = std::minmax_element(served.begin(), served.end());
  CHECK(*most - *least <= 1);
  CHECK(served[0] + served[1] + served[2] >= 599);       // the worker was never idle
  CHECK(gaps >= served[0] + served[1] + served[2] - 6);  // between any two of a camera
  print(
      "3 cameras at 30/s, 10/s served: age at start p95 {:.1f} ms, at most {:.1f} ms; served {} "
      "{} {}; superseded {} in {} gaps",
      ms(p95(ages)), ms(longest(ages)), served[0], served[1], served[2], superseded, gaps);
}
