// The broker's count of the workers it needs, the autoscaler's decisions and the broker's choice of
// who leaves, together: as many workers as the work needs, none of them taken away from its task.

#include "cli/autoscaler.hpp"
#include "tests/support/catch.hpp"
#include "tests/virtual_time/figures.hpp"
#include "tests/virtual_time/lab.hpp"

#include <algorithm>

using namespace framefleet;
using namespace framefleet::virtual_time;
using namespace std::chrono_literals;

namespace {

/// Workers of one slot and a tenth of a second a task, looked after once a second.
class ScaledFleet {
 public:
  explicit ScaledFleet(cli::WorkerRange range) : range_(range), autoscaler_({.range = range}) {
    for (std::uint32_t i = 0; i < range.min; ++i) start(0s);
  }

  void run_until(Duration since_start) {
    while (lab.now() < Time{} + since_start) {
      lab.run_until(lab.now() - Time{} + 1s);
      look();
    }
  }
  std::uint32_t workers() const { return present_; }
  std::uint32_t most() const { return most_; }
  std::uint32_t reversals() const { return reversals_; }
  std::uint64_t left() const {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < started_; ++i) count += lab.worker_left(i) ? 1U : 0U;
    return count;
  }
  /// Of all tasks, how often work on one was begun a second time.
  std::uint64_t worked_again(std::size_t source) const {
    std::uint64_t again = 0;
    for (const auto& task : lab.tasks(source)) again += task.starts > 1 ? 1U : 0U;
    return again;
  }

  Lab lab;

 private:
  void look() {
    const auto demand = lab.broker().fleet_status(lab.now()).demand;
    const auto step = autoscaler_.look(demand.desired_workers, present_, lab.now());
    for (std::uint32_t i = 0; i < step.start; ++i) start(800ms);
    const auto leaving = step.drain > 0 ? lab.drain_idlest(step.drain) : std::vector<std::string>{};
    present_ = present_ + step.start - static_cast<std::uint32_t>(leaving.size());
    most_ = std::max(most_, present_);
    const int direction = step.start > 0 ? 1 : leaving.empty() ? 0 : -1;
    if (direction == 0) return;
    reversals_ += direction_ != 0 && direction != direction_ ? 1U : 0U;
    direction_ = direction;
  }
  void start(Duration starts_after) {
    lab.add_worker({.service = always(100ms), .starts_after = starts_after});
    ++started_;
  }

  cli::WorkerRange range_;
  cli::Autoscaler autoscaler_;
  std::size_t started_{0};
  std::uint32_t present_{range_.min};
  std::uint32_t most_{range_.min};
  std::uint32_t reversals_{0};
  int direction_{0};
};

/// Five frames a second all the time, and 55 more for two minutes.
struct Cameras {
  explicit Cameras(ScaledFleet& fleet, TaskClass task_class) {
    quiet = fleet.lab.add_source(
        {.name = "quiet", .pictures = 5 * 360, .interval = 200ms, .task_class = task_class});
    busy = fleet.lab.add_source({.name = "busy",
                                 .pictures = 55 * 120,
                                 .interval = Duration(1s) / 55,
                                 .task_class = task_class,
                                 .starts_after = 60s});
  }
  std::size_t quiet;
  std::size_t busy;
};

}  // namespace

TEST_CASE(
    "5, 60 and 5 frames a second of a tenth of a second are worked on by 1, 8 and 1 workers") {
  const auto task_class = GENERATE(TaskClass::live, TaskClass::batch);
  ScaledFleet fleet({1, 16});
  const Cameras cameras(fleet, task_class);
  fleet.run_until(60s);
  CHECK(fleet.workers() == 1);
  fleet.run_until(170s);
  CHECK(fleet.workers() >= 7);
  CHECK(fleet.workers() <= 9);
  CHECK(fleet.most() <= 9);
  fleet.run_until(340s);
  CHECK(fleet.workers() == 1);
  CHECK(fleet.reversals() <= 1);
  CHECK(fleet.left() == fleet.most() - 1);
  CHECK(fleet.lab.run_to_end(1h));
  CHECK(fleet.lab.hand_outs_in_vain() == 0);
  CHECK(fleet.worked_again(cameras.quiet) + fleet.worked_again(cameras.busy) == 0);
  CHECK(fleet.lab.ledger_errors().empty());
  print("5, 60 and 5 {} frames/s: 1, {} and {} workers, {} reversals, {} hand-outs in vain",
        task_class == TaskClass::live ? "live" : "batch", fleet.most(), fleet.workers(),
        fleet.reversals(), fleet.lab.hand_outs_in_vain());
}

TEST_CASE("a folder gets the workers that finish it within the target, not all there may be") {
  ScaledFleet fleet({1, 32});
  const auto folder = fleet.lab.add_source({.name = "folder", .pictures = 6000});  // ten minutes
  fleet.run_until(20s);
  CHECK(fleet.workers() >= 9);
  CHECK(fleet.lab.run_to_end(100s));
  CHECK(fleet.most() <= 10);
  fleet.run_until(240s);
  CHECK(fleet.workers() == 1);
  CHECK(fleet.reversals() <= 1);
  CHECK(fleet.lab.hand_outs_in_vain() == 0);
  CHECK(fleet.worked_again(folder) == 0);
  print("a folder of 600 s of work: {} workers, {} reversals", fleet.most(), fleet.reversals());
}

TEST_CASE("more is never started than there may be, and nothing is kept for nobody") {
  ScaledFleet fleet({0, 3});
  fleet.lab.add_source({.name = "busy",
                        .pictures = 1800,
                        .interval = Duration(1s) / 60,
                        .task_class = TaskClass::live,
                        .starts_after = 30s});
  fleet.run_until(29s);
  CHECK(fleet.workers() == 0);
  fleet.run_until(55s);
  CHECK(fleet.workers() == 3);
  fleet.run_until(200s);
  CHECK(fleet.workers() == 0);
  CHECK(fleet.lab.hand_outs_in_vain() == 0);
  CHECK(fleet.lab.ledger_errors().empty());
}
