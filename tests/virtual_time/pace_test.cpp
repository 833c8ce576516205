// How soon a batch is through, and what is foretold of it.

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

/// From the first picture's reading to the end of the last one's work.
Duration makespan(const Lab& lab, std::size_t source) {
  Time end{};
  for (const auto& task : lab.tasks(source)) end = std::max(end, task.finished_at);
  return end - lab.tasks(source).front().read_at;
}

}  // namespace

TEST_CASE("a worker of 5 ms and one of 500 ms are both kept busy, and neither is waited for") {
  Lab lab;
  const auto quick = lab.add_worker({.service = always(5ms)});
  const auto slow = lab.add_worker({.service = always(500ms)});
  const auto source = lab.add_source({.name = "photos", .pictures = 400});
  REQUIRE(lab.run_to_end(60s));
  CHECK(lab.ledger_errors() == "");
  CHECK(lab.count(source, Status::ok) == 400);
  const double ideal = 400.0 / (200 + 2);
  const double took = seconds(makespan(lab, source));
  CHECK(took <= 1.2 * ideal);
  CHECK(lab.ahead_peak() > 0);
  const auto& tasks = lab.tasks(source);
  const auto by_slow =
      std::count_if(tasks.begin(), tasks.end(), [&](const auto& t) { return t.worker == slow; });
  CHECK(by_slow >= 4);  // never idle
  for (const auto& task : tasks) CHECK(task.starts == 1);
  print(
      "workers of 5 and 500 ms, 400 tasks: {:.3f} s, ideal {:.3f} s ({:.2f} x); by the slow one "
      "{}, by the quick one {}; ahead at most {}",
      took, ideal, took / ideal, by_slow, lab.worker_stats(quick).finished, lab.ahead_peak());
}

TEST_CASE("with tasks ahead a quick worker is never idle for want of a message") {
  const auto rate_with = [](Duration ahead_time, Duration service) {
    LabOptions options;
    options.broker.ahead_time = ahead_time;
    Lab lab(options);
    lab.add_worker({.service = always(service)});
    const auto source = lab.add_source({.name = "photos", .pictures = 2000});
    REQUIRE(lab.run_to_end(60s));
    return 2000 / seconds(makespan(lab, source));
  };
  const double ahead = rate_with(10ms, 1ms);
  const double one_by_one = rate_with(0ms, 1ms);
  CHECK(ahead >= 990);
  CHECK(one_by_one <= 715);  // 1.4 ms each: the service and the way there and back
  print("a worker of 1 ms: {:.0f}/s with tasks ahead, {:.0f}/s one by one", ahead, one_by_one);
}

TEST_CASE("what waits behind a task that takes long is taken back and done elsewhere") {
  Lab lab;
  std::uint64_t begun = 0;
  lab.add_worker({.service = [&begun](const std::string&) -> Duration {
    return ++begun == 100 ? 10s : 2ms;  // one picture is not like the others
  }});
  lab.add_worker({.service = always(4ms)});
  const auto source = lab.add_source({.name = "photos", .pictures = 1000});
  REQUIRE(lab.run_to_end(60s));
  CHECK(lab.ledger_errors() == "");
  CHECK(lab.count(source, Status::ok) == 1000);
  const auto stats = lab.broker().stats(lab.now());
  CHECK(stats.recalled > 0);
  CHECK(stats.stale_results == 0);
  Duration longest_wait{};
  for (const auto& task : lab.tasks(source)) {
    CHECK(task.starts == 1);
    CHECK(task.attempts == 1);  // given back unstarted: not an attempt
    longest_wait = std::max(longest_wait, task.age_at_start());
  }
  CHECK(longest_wait < 1s);
  print("a task of 10 s among those of 2 ms: {} taken back; nothing waited longer than {:.0f} ms",
        stats.recalled, ms(longest_wait));
}

TEST_CASE("half way through a job its end is foretold within a fifth") {
  const auto pictures = GENERATE(as<std::uint64_t>{}, 100, 500, 1500, 6000);
  const bool has_rival = GENERATE(false, true);
  Lab lab;
  lab.add_worker({.service = always(20ms)});
  lab.add_worker({.service = always(20ms)});
  lab.add_source({.name = "photos", .pictures = pictures, .job = "job"});
  if (has_rival) {
    lab.add_source({.name = "rival", .pictures = 2 * pictures, .job = "rival"});
  }
  std::vector<std::pair<Duration, std::optional<Duration>>> foretold;
  Duration ended{};
  for (Duration at = 100ms; at < 600s && ended == 0s; at += 100ms) {
    lab.run_until(at);
    const auto row = lab.job_row("job");
    foretold.emplace_back(at, row.eta);
    if (row.finished) ended = at;
  }
  REQUIRE(ended > 0s);
  CHECK(lab.job_row("job").account.settled_as(Status::ok) == pictures);
  const auto middle = foretold[foretold.size() / 2];
  REQUIRE(middle.second.has_value());
  const double left = seconds(ended - middle.first);
  const double error = std::abs(seconds(*middle.second) - left) / left;
  CHECK(error < 0.2);
  print(
      "a job of {} pictures{}: after {:.1f} of {:.1f} s the rest is taken for {:.1f} s, off by "
      "{:.1f} %",
      pictures, has_rival ? " beside another" : "", seconds(middle.first), seconds(ended),
      seconds(*middle.second), 100 * error);
}
