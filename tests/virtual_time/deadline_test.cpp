// Times to live, and leases of work that takes long.

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

/// From reading to the store's commit, of those that expired.
std::vector<Duration> times_to_expire(const Lab& lab, std::size_t source) {
  std::vector<Duration> times;
  for (const auto& task : lab.tasks(source)) {
    if (task.stored > 0 && task.status == Status::expired) {
      times.push_back(task.stored_at - task.read_at);
    }
  }
  return times;
}

/// Work began after the time to live was over. The worker's clock starts when the task arrives.
bool started_late(const Lab& lab, const TaskFacts& task, Duration ttl) {
  return task.starts > 0 && task.started_at >= task.admitted_at + ttl + lab.wire_delay();
}

}  // namespace

TEST_CASE("a task of 500 ms to live is stored as expired within 700 ms where there is no worker") {
  Lab lab;
  SourcePlan plan{.name = "source", .pictures = 200, .interval = 37ms, .ttl = 500ms};
  SECTION("batch") {}
  SECTION("batch, far more than the sink is sent at once") {
    plan.pictures = 2000;
    plan.interval = 0ms;
    plan.window_tasks = 2000;
  }
  SECTION("live") { plan.task_class = TaskClass::live; }
  const auto source = lab.add_source(plan);
  REQUIRE(lab.run_to_end(20s));
  CHECK(lab.ledger_errors() == "");
  const bool is_live = plan.task_class == TaskClass::live;
  CHECK(lab.count(source, Status::expired) == (is_live ? 1 : plan.pictures));
  CHECK(lab.count(source, Status::superseded) == (is_live ? plan.pictures - 1 : 0));
  const auto times = times_to_expire(lab, source);
  CHECK(*std::min_element(times.begin(), times.end()) >= 500ms);
  CHECK(longest(times) <= 700ms);
  print("500 ms to live, no worker: {} expired, stored after {:.1f} to {:.1f} ms", times.size(),
        ms(*std::min_element(times.begin(), times.end())), ms(longest(times)));
}

TEST_CASE("a task expires in time while all workers are at something else") {
  Lab lab;
  lab.add_worker({.service = always(10s), .slots = 2});
  lab.add_source({.name = "slow", .pictures = 6});
  const auto source = lab.add_source(
      {.name = "source", .pictures = 100, .interval = 50ms, .ttl = 500ms, .starts_after = 100ms});
  REQUIRE(lab.run_to_end(60s));
  CHECK(lab.ledger_errors() == "");
  CHECK(lab.count(source, Status::expired) == 100);
  for (const auto& task : lab.tasks(source)) CHECK(task.starts == 0);
  const auto times = times_to_expire(lab, source);
  CHECK(longest(times) <= 700ms);
  print("500 ms to live, workers busy: {} expired, stored after at most {:.1f} ms", times.size(),
        ms(longest(times)));
}

TEST_CASE("a task that expires in its worker's queue is never started and not an attempt more") {
  LabOptions options;
  options.broker.recall_delay = 10s;  // it stays there
  Lab lab(options);
  std::uint64_t begun = 0;
  lab.add_worker({.service = [&begun](const std::string&) -> Duration {
    return ++begun % 50 == 0 ? 1s : 2ms;
  }});
  const auto source =
      lab.add_source({.name = "source", .pictures = 1000, .interval = 5ms, .ttl = 100ms});
  const auto rival = lab.add_source({.name = "rival", .pictures = 400});
  REQUIRE(lab.run_to_end(120s));
  CHECK(lab.ledger_errors() == "");
  CHECK(lab.count(rival, Status::ok) == 400);
  CHECK(lab.count(source, Status::ok) + lab.count(source, Status::expired) == 1000);
  std::uint64_t expired_in_queue = 0;
  for (const auto& task : lab.tasks(source)) {
    CHECK_FALSE(started_late(lab, task, 100ms));
    if (task.status != Status::expired) continue;
    CHECK(task.starts == 0);
    if (task.attempts > 0) ++expired_in_queue;  // it had been handed out
    CHECK(task.stored_at - task.read_at <= 300ms);
  }
  CHECK(expired_in_queue > 0);
  print(
      "100 ms to live behind tasks of 1 s: {} ok, {} expired, of them {} in the worker's queue; "
      "none began late",
      lab.count(source, Status::ok), lab.count(source, Status::expired), expired_in_queue);
}

TEST_CASE("a detector of 20 s is not redelivered while its worker vouches for it") {
  Lab lab;
  lab.add_worker({.service = always(20s), .slots = 2});
  lab.add_worker({.service = always(20s)});
  const auto source = lab.add_source({.name = "source", .pictures = 9});
  REQUIRE(lab.run_to_end(100s));
  CHECK(lab.ledger_errors() == "");
  CHECK(lab.count(source, Status::ok) == 9);
  for (const auto& task : lab.tasks(source)) {
    CHECK(task.attempts == 1);
    CHECK(task.starts == 1);
  }
  const auto stats = lab.broker().stats(lab.now());
  CHECK(stats.stale_results == 0);
  CHECK(stats.duplicate_submits == 0);
  print("20 s each, leases of 5 s: 9 ok after one attempt each, stale results {}",
        stats.stale_results);
}
