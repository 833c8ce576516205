// Sources against each other: who gets how much of the workers' time.

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

/// More than any of these runs gets through.
constexpr std::uint64_t kEndless = 1'000'000;

SourcePlan greedy(const std::string& name, std::uint32_t weight = 1) {
  return {.name = name, .pictures = kEndless, .weight = weight};
}

/// Seconds of work that each source was given in [from, to), by its weight.
std::vector<double> shares(const Lab& lab, const std::vector<std::uint32_t>& weights, Duration from,
                           Duration to) {
  std::vector<double> shares;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    shares.push_back(seconds(lab.worked(i, from, to)) / weights[i]);
  }
  return shares;
}

/// The least Jain index of all windows of that length up to `end`, the first (in which the
/// services are not yet measured) left out.
double least_jain(const Lab& lab, const std::vector<std::uint32_t>& weights, Duration window,
                  Duration end) {
  double least = 1;
  for (Duration from = window; from + window <= end; from += window) {
    least = std::min(least, jain(shares(lab, weights, from, from + window)));
  }
  return least;
}

}  // namespace

TEST_CASE("a source of 300 a second does not delay one of 5 a second where 50 are worked on") {
  LabOptions options;
  options.broker.backlog_tasks_max = 200;
  Lab lab(options);
  Duration service{};
  SECTION("one worker of 20 ms") { lab.add_worker({.service = always(service = 20ms)}); }
  SECTION("five workers of 100 ms") {
    service = 100ms;
    for (int i = 0; i < 5; ++i) lab.add_worker({.service = always(service)});
  }
  SECTION("one worker with five slots") {
    service = 100ms;
    lab.add_worker({.service = always(service), .slots = 5});
  }
  const auto a = lab.add_source({.name = "a",
                                 .pictures = kEndless,
                                 .interval = Duration{1s} / 300,
                                 .window_tasks = 400,
                                 .picture_bytes = 100});
  const auto b =
      lab.add_source({.name = "b", .pictures = 290, .interval = 200ms, .starts_after = 1234567us});
  lab.run_until(60s);
  CHECK(lab.ledger_errors() == "");
  CHECK(lab.producer_stats(a).busy_answers > 0);
  CHECK(lab.producer_stats(b).busy_answers == 0);
  CHECK(lab.count(b, Status::ok) == 290);
  CHECK(lab.source_row(b).account.settled_in_all() == 290);
  const auto waits = ages_at_start(lab, b);
  CHECK(p95(waits) < 100ms);
  // Nothing is handed out ahead to workers of more than 10 ms: each task costs a round trip.
  const double capacity = 60 * 50 * seconds(service) / seconds(service + 2 * lab.wire_delay());
  CHECK(static_cast<double>(lab.count(a, Status::ok) + lab.count(b, Status::ok)) >= capacity - 10);
  print(
      "A 300/s, B 5/s, 50/s worked: B waits p95 {:.1f} ms, at most {:.1f} ms; B ok {} of 290; A "
      "ok {}, busy answers {}",
      ms(p95(waits)), ms(longest(waits)), lab.count(b, Status::ok), lab.count(a, Status::ok),
      lab.producer_stats(a).busy_answers);
}

TEST_CASE("a camera of 300 frames a second takes no frame from one of 5 a second") {
  Lab lab;
  lab.add_worker({.service = always(20ms)});
  const auto live = [&lab](const std::string& name, std::uint64_t frames, Duration interval) {
    return lab.add_source(
        {.name = name, .pictures = frames, .interval = interval, .task_class = TaskClass::live});
  };
  const auto a = live("a", 18'000, Duration{1s} / 300);
  const auto b = live("b", 300, 200ms);
  REQUIRE(lab.run_to_end(70s));
  CHECK(lab.ledger_errors() == "");
  CHECK(lab.count(b, Status::ok) == 300);
  CHECK(lab.producer_stats(b).skipped == 0);
  const auto waits = ages_at_start(lab, b);
  CHECK(p95(waits) < 100ms);
  const auto account = lab.source_row(a).account;
  CHECK(account.settled_as(Status::superseded) ==
        account.submitted - account.settled_as(Status::ok));
  CHECK(account.submitted + lab.producer_stats(a).skipped == 18'000);
  print(
      "live A 300/s, B 5/s, 50/s worked: B waits p95 {:.1f} ms, at most {:.1f} ms; B ok {} of "
      "300; A ok {}, superseded {}",
      ms(p95(waits)), ms(longest(waits)), lab.count(b, Status::ok), lab.count(a, Status::ok),
      account.settled_as(Status::superseded));
}

TEST_CASE("four equal greedy sources get equal parts") {
  const std::vector<std::uint32_t> equal(4, 1);
  Lab lab;
  Duration service{};
  SECTION("of workers that get tasks one by one") {
    service = 20ms;
    for (int i = 0; i < 3; ++i) lab.add_worker({.service = always(service)});
  }
  SECTION("of quick workers that get them ahead") {
    service = 2ms;
    for (int i = 0; i < 2; ++i) lab.add_worker({.service = always(service), .slots = 2});
  }
  for (std::size_t i = 0; i < equal.size(); ++i) lab.add_source(greedy(std::to_string(i)));
  lab.run_until(30s);
  CHECK(lab.ledger_errors() == "");
  const double whole = jain(shares(lab, equal, 0s, 30s));
  const double window = least_jain(lab, equal, 5s, 30s);
  CHECK(whole >= 0.98);
  CHECK(window >= 0.98);
  print(
      "4 greedy sources, {:.0f} ms each: Jain {:.5f}, least of 5 s {:.5f}; ok {} {} {} {}; "
      "ahead at most {}",
      ms(service), whole, window, lab.count(0, Status::ok), lab.count(1, Status::ok),
      lab.count(2, Status::ok), lab.count(3, Status::ok), lab.ahead_peak());
}

TEST_CASE("weights of 1, 2 and 4 divide the workers' time 1 : 2 : 4") {
  const std::vector<std::uint32_t> weights{1, 2, 4};
  Lab lab;
  for (int i = 0; i < 2; ++i) lab.add_worker({.service = always(10ms), .slots = 2});
  for (const auto weight : weights) lab.add_source(greedy("w" + std::to_string(weight), weight));
  lab.run_until(30s);
  CHECK(lab.ledger_errors() == "");
  const double whole = jain(shares(lab, weights, 0s, 30s));
  const double window = least_jain(lab, weights, 5s, 30s);
  CHECK(whole >= 0.98);
  CHECK(window >= 0.98);
  const auto parts = shares(lab, {1, 1, 1}, 0s, 30s);
  CHECK(parts[1] / parts[0] == Approx(2).epsilon(0.01));
  CHECK(parts[2] / parts[0] == Approx(4).epsilon(0.01));
  print("weights 1, 2, 4: time {:.2f} {:.2f} {:.2f} s; Jain by weight {:.5f}, least of 5 s {:.5f}",
        parts[0], parts[1], parts[2], whole, window);
}

TEST_CASE("sources with pictures of unlike service times get equal time, not equal numbers") {
  const std::vector<std::uint32_t> equal(4, 1);
  Lab lab;
  const auto by_source = [](const std::string& source) -> Duration {
    return std::chrono::milliseconds{std::stoi(source)};
  };
  for (int i = 0; i < 2; ++i) lab.add_worker({.service = by_source, .slots = 2});
  for (const auto* needed : {"5", "15", "40", "100"}) lab.add_source(greedy(needed));
  lab.run_until(60s);
  CHECK(lab.ledger_errors() == "");
  const double whole = jain(shares(lab, equal, 0s, 60s));
  const double window = least_jain(lab, equal, 5s, 60s);
  CHECK(whole >= 0.98);
  CHECK(window >= 0.98);
  const auto times = shares(lab, equal, 0s, 60s);
  print(
      "services of 5, 15, 40, 100 ms: time {:.1f} {:.1f} {:.1f} {:.1f} s; Jain {:.5f}, least of "
      "5 s {:.5f}; ok {} {} {} {}",
      times[0], times[1], times[2], times[3], whole, window, lab.count(0, Status::ok),
      lab.count(1, Status::ok), lab.count(2, Status::ok), lab.count(3, Status::ok));
}

TEST_CASE("a source that comes late gets its part from then on, and no more to make up for it") {
  const std::vector<std::uint32_t> equal(2, 1);
  Lab lab;
  lab.add_worker({.service = always(20ms)});
  lab.add_source(greedy("early"));
  auto late = greedy("late");
  late.starts_after = 20s;
  lab.add_source(late);
  lab.run_until(30s);
  CHECK(lab.ledger_errors() == "");
  const auto first_second = shares(lab, equal, 20s, 21s);
  CHECK(jain(first_second) >= 0.98);
  CHECK(jain(shares(lab, equal, 21s, 30s)) >= 0.98);
  print("20 s late: in its first second {:.2f} s of time against {:.2f} s", first_second[1],
        first_second[0]);
}

TEST_CASE("a route that one worker of ten serves neither starves nor blocks the rest") {
  LabOptions options;
  options.broker.backlog_tasks_max = 200;
  Lab lab(options);
  lab.add_worker({.service = always(100ms), .detectors = {"common", "rare"}});
  for (int i = 0; i < 9; ++i) {
    lab.add_worker({.service = always(100ms), .detectors = {"common"}});
  }
  auto common = greedy("common");
  common.detectors = {"common"};
  common.window_tasks = 400;
  auto rare = greedy("rare");
  rare.detectors = {"rare"};
  double rare_floor = 0;
  double common_floor = 0;
  SECTION("both without end") {
    rare.window_tasks = 400;
    rare_floor = 10 * 0.98;
    common_floor = 90 * 0.98;
  }
  SECTION("the rare one twice a second") {
    rare.interval = 500ms;
    rare_floor = 2 * 0.98;
    common_floor = 98 * 0.98;
  }
  const auto c = lab.add_source(common);
  const auto r = lab.add_source(rare);
  lab.run_until(60s);
  CHECK(lab.ledger_errors() == "");
  const double common_rate = static_cast<double>(lab.count(c, Status::ok)) / 60;
  const double rare_rate = static_cast<double>(lab.count(r, Status::ok)) / 60;
  CHECK(rare_rate >= rare_floor);
  CHECK(common_rate >= common_floor);
  const auto waits = ages_at_start(lab, r);
  // The worker that can is at work on something else, and once more if it became free first of all.
  if (rare.interval > 0s) CHECK(longest(waits) <= 2 * 100ms + 10 * lab.wire_delay());
  print(
      "1 worker of 10 for a route: {:.2f}/s of at most {}, the rest {:.2f}/s; rare waits p95 "
      "{:.0f} ms",
      rare_rate, rare.interval > 0s ? 2 : 10, common_rate, ms(p95(waits)));
}

TEST_CASE("a route that comes late shares from then on, whichever was served last") {
  // Four slots give the common route four times the time that the rare one gets from the one slot
  // that can do it. The two workers' turns lie 50 ms apart, so that either may have been the last.
  const Duration arrival = GENERATE(Duration{20s}, Duration{20050ms});
  const std::size_t rival = GENERATE(0U, 1U);
  std::vector<std::string> for_many{"common"};
  std::vector<std::string> for_one{"rare"};
  (rival == 0 ? for_many : for_one).emplace_back("late");
  Lab lab;
  lab.add_worker({.service = always(100ms), .slots = 4, .detectors = for_many});
  lab.add_worker({.service = always(100ms), .detectors = for_one, .starts_after = 50ms});
  for (const auto* name : {"common", "rare", "late"}) {
    auto source = greedy(name);
    source.detectors = {name};
    if (source.name == "late") source.starts_after = arrival;
    lab.add_source(source);
  }
  lab.run_until(arrival + 5s);
  CHECK(lab.ledger_errors() == "");
  const double late = seconds(lab.worked(2, arrival, arrival + 5s));
  const double other = seconds(lab.worked(rival, arrival, arrival + 5s));
  CHECK(jain({late, other}) >= 0.98);
  print("a route that comes late beside the {} one: {:.1f} s against {:.1f} s",
        rival == 0 ? "common" : "rare", late, other);
}

TEST_CASE("a route that nobody serves does not block the rest, and goes on when somebody comes") {
  LabOptions options;
  options.broker.backlog_tasks_max = 200;
  Lab lab(options);
  for (int i = 0; i < 9; ++i) {
    lab.add_worker({.service = always(100ms), .detectors = {"common"}});
  }
  lab.add_worker({.service = always(100ms), .detectors = {"rare"}, .starts_after = 30s});
  auto common = greedy("common");
  common.detectors = {"common"};
  common.window_tasks = 400;
  auto rare = greedy("rare");
  rare.detectors = {"rare"};
  rare.window_tasks = 400;
  const auto r = lab.add_source(rare);
  const auto c = lab.add_source(common);
  lab.run_until(30s);
  const auto common_before = lab.count(c, Status::ok);
  CHECK(lab.count(r, Status::ok) == 0);
  CHECK(common_before >= 30 * 90 * 98 / 100);
  lab.run_until(60s);
  CHECK(lab.ledger_errors() == "");
  const auto common_after = lab.count(c, Status::ok) - common_before;
  CHECK(common_after >= 30 * 90 * 98 / 100);
  CHECK(lab.count(r, Status::ok) >= 30 * 10 * 98 / 100);
  CHECK(lab.count(r, Status::failed) == 0);
  print("no worker for a route, then one: {} of it in 30 s; the rest {} before and {} after",
        lab.count(r, Status::ok), common_before, common_after);
}
