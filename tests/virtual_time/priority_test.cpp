// Priorities and classes: the higher goes first, and the lower still moves.

#include "tests/support/catch.hpp"
#include "tests/virtual_time/figures.hpp"
#include "tests/virtual_time/lab.hpp"

#include <string>
#include <vector>

using namespace framefleet;
using namespace framefleet::virtual_time;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kEndless = 1'000'000;
constexpr Duration kEnd = 60s;

SourcePlan greedy(const std::string& name, std::uint8_t priority) {
  return {.name = name, .pictures = kEndless, .priority = priority};
}

double time_of(const Lab& lab, std::size_t source, Duration from = 0s, Duration to = kEnd) {
  return seconds(lab.worked(source, from, to));
}

}  // namespace

TEST_CASE("under permanent high priority the low one gets its configured share, and no more") {
  LabOptions options;
  double configured = 0.1;
  std::vector<WorkerPlan> workers;
  SECTION("a tenth, one slot") { workers = {{.service = always(20ms)}}; }
  SECTION("a tenth, two workers with two slots") {
    workers.assign(2, {.service = always(20ms), .slots = 2});
  }
  SECTION("a tenth, tasks handed out ahead") { workers = {{.service = always(2ms)}}; }
  SECTION("a tenth, the low tasks four times as long") {
    workers = {{.service = [](const std::string& source) -> Duration {
      return source == "low" ? 40ms : 10ms;
    }}};
  }
  SECTION("a quarter") {
    configured = 0.25;
    workers = {{.service = always(20ms)}};
  }
  options.broker.lower_priority_share = configured;
  Lab lab(options);
  for (const auto& worker : workers) lab.add_worker(worker);
  const auto low = lab.add_source(greedy("low", 0));
  const auto high = lab.add_source(greedy("high", 9));
  const auto high_too = lab.add_source(greedy("high too", 9));
  lab.run_until(kEnd);
  CHECK(lab.ledger_errors() == "");
  const double all = time_of(lab, low) + time_of(lab, high) + time_of(lab, high_too);
  const double share = time_of(lab, low) / all;
  const double longest_task = 0.04;  // s: what is under way at either end
  CHECK(share >= configured - longest_task / all);
  CHECK(share <= configured + 0.01);
  CHECK(time_of(lab, high) / time_of(lab, high_too) == Approx(1).epsilon(0.01));
  double least = 1;
  for (Duration from = 5s; from + 5s <= kEnd; from += 5s) {
    double in_window = 0;
    for (const auto source : {low, high, high_too}) {
      in_window += time_of(lab, source, from, from + 5s);
    }
    least = std::min(least, time_of(lab, low, from, from + 5s) / in_window);
  }
  CHECK(least >= configured - 0.01);
  print("low priority, {:.0f} % configured: {:.2f} %, least of 5 s {:.2f} %", 100 * configured,
        100 * share, 100 * least);
}

TEST_CASE("of three priorities each owes its share to all below it") {
  Lab lab;
  lab.add_worker({.service = always(10ms)});
  const auto low = lab.add_source(greedy("low", 0));
  const auto middle = lab.add_source(greedy("middle", 5));
  const auto high = lab.add_source(greedy("high", 9));
  lab.run_until(kEnd);
  CHECK(lab.ledger_errors() == "");
  const double all = time_of(lab, low) + time_of(lab, middle) + time_of(lab, high);
  CHECK(time_of(lab, high) / all == Approx(0.9).margin(0.01));
  CHECK(time_of(lab, middle) / all == Approx(0.09).margin(0.01));
  CHECK(time_of(lab, low) / all == Approx(0.01).margin(0.005));
  print("priorities 9, 5, 0: {:.2f} %, {:.2f} %, {:.2f} % of the time",
        100 * time_of(lab, high) / all, 100 * time_of(lab, middle) / all,
        100 * time_of(lab, low) / all);
}

TEST_CASE("batch gets its share under cameras that could use all of the workers' time") {
  Lab lab;
  Duration service{};
  SECTION("of a worker of 100 ms") { service = 100ms; }
  SECTION("of a worker of 20 ms") { service = 20ms; }
  lab.add_worker({.service = always(service)});
  for (int i = 0; i < 3; ++i) {
    lab.add_source({.name = "camera-" + std::to_string(i),
                    .pictures = kEndless,
                    .interval = Duration{1s} / 30,
                    .task_class = TaskClass::live});
  }
  const auto batch = lab.add_source(greedy("batch", 0));
  lab.run_until(kEnd);
  CHECK(lab.ledger_errors() == "");
  double all = time_of(lab, batch);
  for (std::size_t i = 0; i < 3; ++i) all += time_of(lab, i);
  const double share = time_of(lab, batch) / all;
  CHECK(share >= 0.1 - 0.1 / all);  // less than one service from it
  CHECK(share <= 0.11);
  print("batch under 3 cameras, {:.0f} ms each: {:.2f} % of the time", ms(service), 100 * share);
}

TEST_CASE("an idle fleet gives the low priority everything") {
  Lab lab;
  lab.add_worker({.service = always(10ms)});
  const auto low = lab.add_source(greedy("low", 0));
  auto burst = greedy("high", 9);
  burst.pictures = 500;
  burst.starts_after = 20s;
  const auto high = lab.add_source(burst);
  lab.run_until(40s);
  CHECK(lab.ledger_errors() == "");
  CHECK(time_of(lab, low, 0s, 20s) > 19.8);
  CHECK(lab.count(high, Status::ok) == 500);
  const auto last = lab.tasks(high).back().finished_at - Time{} - 20s;
  CHECK(seconds(last) <= 5.0 / 0.9 + 0.1);
  // What the low one was given before is not asked back.
  CHECK(time_of(lab, low, 20s, 25s) >= 0.1 * 5 - 0.05);
  print("5 s of high priority work beside endless low: done in {:.2f} s", seconds(last));
}

TEST_CASE("a live frame never waits longer than what was handed out ahead of it") {
  Lab lab;
  Duration service{};
  std::uint32_t slots = 1;
  SECTION("2 ms, one slot") { service = 2ms; }
  SECTION("5 ms, one slot") { service = 5ms; }
  SECTION("1 ms, four slots") {
    service = 1ms;
    slots = 4;
  }
  SECTION("100 us, one slot: as many ahead as there may be") { service = 100us; }
  lab.add_worker({.service = always(service), .slots = slots});
  lab.add_source(greedy("batch", 0));
  const auto camera = lab.add_source({.name = "camera",
                                      .pictures = 300,
                                      .interval = Duration{1s} / 30,
                                      .task_class = TaskClass::live,
                                      .starts_after = 1234567us});
  lab.run_until(12s);
  CHECK(lab.ledger_errors() == "");
  CHECK(lab.count(camera, Status::ok) == 300);
  CHECK(lab.ahead_peak() > 0);
  const auto waits = ages_at_start(lab, camera);
  // Submit, result and assign are on their way meanwhile.
  CHECK(longest(waits) <= 10ms + service + 3 * lab.wire_delay());
  print(
      "a camera beside a batch of {:.1f} ms handed out ahead: waits p95 {:.2f} ms, at most {:.2f} "
      "ms; ahead at most {}",
      ms(service), ms(p95(waits)), ms(longest(waits)), lab.ahead_peak());
}
