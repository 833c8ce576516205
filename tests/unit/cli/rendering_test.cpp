#include "cli/progress_line.hpp"
#include "cli/run_report.hpp"
#include "tests/support/catch.hpp"

#include <nlohmann/json.hpp>

namespace framefleet::cli {
namespace {

using namespace std::chrono_literals;
using Catch::Contains;

ProgressView halfway() {
  ProgressView view;
  view.counters = {.pictures = 2000, .stored_before = 100, .ok = 898, .failed = 2};
  view.per_second = 35.25;
  view.remaining = 48s;
  view.elapsed = 30s;
  return view;
}

RunReport finished_run() {
  RunReport report;
  report.job = "1a2b3c4d";
  report.wall = 12s;
  report.end = EndEvent{.counters = {.pictures = 24, .ok = 23, .failed = 1},
                        .elapsed = 12s,
                        .submitted = 24,
                        .admitted = 24};
  sink::Report store;
  store.by_status = {23, 1, 0, 0, 0, 0};
  store.failed = {{"id-1", "odd/empty.jpg", "empty_picture", "the file is empty"}};
  store.failed_total = 1;
  store.detectors = {{"faces", 23, 31, 120.06, 110.0, 340.24}};
  report.store = store;
  report.stored_at_start = 0;
  report.results = {"results/results.sqlite", "results/results.ndjson"};
  report.logs = "results/.framefleet/logs";
  report.continue_command = "framefleet run photos";
  report.verdict.exit_code = 3;
  return report;
}

}  // namespace

TEST_CASE("the progress line fills the terminal and never touches its last column") {
  CHECK(
      render_progress_line(halfway(), {.columns = 90}) ==
      "[#######--------]   50%  1 000 of 2 000  2 failed   35.2/s   0:48 left  100 stored before");
  CHECK(render_progress_line(halfway(), {.columns = 80}) ==
        "[############------------]   50%  1 000 of 2 000  2 failed   35.2/s   0:48 left");
}

TEST_CASE("the bar keeps its place while the numbers grow") {
  ProgressView view = halfway();
  const std::string late = render_progress_line(view, {.columns = 80});
  view.counters.ok = 7;
  view.per_second = 2.5;
  view.remaining = 12min;
  CHECK(render_progress_line(view, {.columns = 80}).find(']') == late.find(']'));
}

TEST_CASE("when nothing is left, the line shows what it took") {
  ProgressView view;
  view.counters = {.pictures = 5, .ok = 5};
  view.per_second = 1;
  view.remaining = 0s;
  view.elapsed = 65s;
  CHECK(render_progress_line(view, {.columns = 45}) ==
        "[############]  100%  5 of 5    1.0/s   1:05");
}

TEST_CASE("a narrow terminal loses the least important first and is never overrun") {
  const ProgressView view = halfway();
  for (std::size_t columns = 0; columns < 200; ++columns) {
    CAPTURE(columns);
    const std::string line = render_progress_line(view, {.columns = columns});
    CHECK(line.size() <= (columns > 0 ? columns - 1 : 0));
  }
  CHECK(render_progress_line(view, {.columns = 30}) == "1 000 of 2 000  2 failed");
  CHECK(render_progress_line(view, {.columns = 16}) == "1 000 of 2 000");
  CHECK(render_progress_line(view, {.columns = 10}).empty());
}

TEST_CASE("a terminal with block elements gets a finer bar of the same width") {
  ProgressView view;
  view.counters = {.pictures = 3, .ok = 1};
  CHECK(render_progress_line(view, {.columns = 40, .unicode = true}) ==
        "▕█████▎          ▏   33%  1 of 3   0:00");
}

TEST_CASE("without a known total there is no bar, no percentage and no ETA") {
  ProgressView view;
  view.counters.ok = 1234;
  view.per_second = 0.5;
  view.elapsed = 62s;
  CHECK(render_progress_line(view, {.columns = 80}) == "1 234 done  30.0/min   1:02");
  CHECK(render_plain_progress(view) == "1 234 done, 0 failed, 30.0/min");
}

TEST_CASE("an empty plan is complete and a plan overrun stays at 100 %") {
  ProgressView view;
  view.counters.pictures = 0;
  CHECK_THAT(render_progress_line(view, {.columns = 80}), Contains("100%  0 of 0"));
  view.counters = {.pictures = 1, .ok = 2};
  CHECK_THAT(render_progress_line(view, {.columns = 80}), Contains("100%  2 of 1"));
  CHECK(view.counters.left() == 0);
}

TEST_CASE("the plain line has the same numbers as words") {
  ProgressView view = halfway();
  view.draining = true;
  CHECK(render_plain_progress(view) ==
        "draining: 1 000 of 2 000, 2 failed, 1 000 left, 35.2/s, 0:48 to go (100 stored before)");
}

TEST_CASE("counts and clocks are written for people") {
  CHECK(count_text(0) == "0");
  CHECK(count_text(999) == "999");
  CHECK(count_text(1000) == "1 000");
  CHECK(count_text(1234567) == "1 234 567");
  CHECK(clock_text(7s) == "0:07");
  CHECK(clock_text(3599s) == "59:59");
  CHECK(clock_text(3h + 5min) == "3:05:00");
}

TEST_CASE("the report shows ledger, detectors, failures and results") {
  const std::string expected = R"(job 1a2b3c4d: 24 pictures in 0:12 (2.0/s)

results   results/results.sqlite
          results/results.ndjson
ledger    24 submitted = 0 rejected + 24 admitted
          24 admitted = 23 ok + 1 failed + 0 expired + 0 superseded + 0 cancelled + )"
                               R"(0 lost + 0 in progress
          24 in the store = 0 before + 24 of this run

detector    pictures  detections    mean ms     p95 ms
faces             23          31      120.1      340.2

1 failed:
  odd/empty.jpg: empty_picture: the file is empty
)";
  CHECK(render_text(finished_run()) == expected);
  CHECK(exit_code_of(finished_run()) == 3);
}

TEST_CASE("a ledger that does not balance is said loudly and is an internal error") {
  RunReport report = finished_run();
  CHECK(audit(report).empty());
  SECTION("submitted and not accounted for") { report.end->submitted = 25; }
  SECTION("admitted and not settled") { report.end->admitted = 23; }
  SECTION("settled and not in the store") { report.store->by_status[0] = 22; }
  SECTION("stored twice") { report.store->by_status[0] = 24; }
  CHECK_FALSE(audit(report).empty());
  CHECK_THAT(render_text(report), Contains("THE LEDGER DOES NOT BALANCE"));
  CHECK(exit_code_of(report) == 70);
}

TEST_CASE("what a journal had of an earlier run balances, up to what was found stored before") {
  RunReport report = finished_run();
  report.end->counters.stored_before = 5;
  report.store->by_status[0] += 5;
  CHECK_FALSE(audit(report).empty());
  report.has_journal = true;
  CHECK(audit(report).empty());
  SECTION("more than that is stored twice") { ++report.store->by_status[0]; }
  SECTION("and less is lost") { report.store->by_status[0] -= 6; }
  CHECK_FALSE(audit(report).empty());
}

TEST_CASE("a run that was cut short is not reproached with what is in flight") {
  RunReport report = finished_run();
  report.end->submitted = 30;
  report.end->admitted = 28;
  report.end->counters.in_flight = 6;
  report.end->interrupted = true;
  CHECK(audit(report).empty());
}

TEST_CASE("an interrupted run tells the command that goes on") {
  RunReport report = finished_run();
  report.verdict.interrupted = true;
  report.end->counters.pictures = 100;
  CHECK_THAT(render_text(report),
             Contains("interrupted, 76 pictures left; the same command continues where this "
                      "stopped:\n  framefleet run photos\n"));
  report.end->counters.pictures = 24;  // The interrupt came after the last picture was submitted.
  CHECK_THAT(render_text(report), !Contains("the same command"));
}

TEST_CASE("of many failures the first are listed and the rest is a count") {
  RunReport report = finished_run();
  report.store->failed.assign(500, {"id", "x.jpg", "undecodable", ""});
  report.store->failed_total = 700;
  const std::string text = render_text(report);
  CHECK_THAT(text, Contains("700 failed:"));
  CHECK_THAT(text, Contains("and 680 more"));
}

TEST_CASE("names from outside cannot steer the terminal") {
  RunReport report = finished_run();
  report.store->failed[0].origin = "a\x1b[2Jb\nc";
  CHECK_THAT(render_text(report), Contains("a?[2Jb?c: empty_picture"));
}

TEST_CASE("a picture that failed in an earlier run of the job still makes the exit code 3") {
  RunReport report = finished_run();
  report.end = EndEvent{.counters = {.pictures = 24, .stored_before = 24}};
  report.stored_at_start = 24;
  report.verdict.exit_code = 0;
  CHECK(exit_code_of(report) == 3);
  CHECK_THAT(render_text(report), Contains("nothing was left to do, 24 stored before"));
}

TEST_CASE("an interrupted run ends with 3 if it left pictures, or may have, and only then") {
  RunReport report = finished_run();
  report.end = EndEvent{.counters = {.pictures = 24, .ok = 23}, .submitted = 23, .admitted = 23};
  report.store->by_status = {23, 0, 0, 0, 0, 0};
  report.verdict.exit_code = 0;
  CHECK(exit_code_of(report) == 0);
  report.verdict.interrupted = true;
  CHECK(exit_code_of(report) == 3);
  report.end->counters.pictures = std::nullopt;
  report.end->interrupted = true;
  CHECK(exit_code_of(report) == 3);
  report.end->interrupted = false;  // a watched folder, and all that came was done
  CHECK(exit_code_of(report) == 0);
  report.end->counters.pictures = 23;
  CHECK(exit_code_of(report) == 0);
}

TEST_CASE("restarts and kills are named with their logs") {
  RunReport report = finished_run();
  report.restarts = {{{ChildKind::worker, 1}, 2}};
  report.verdict.killed = {{ChildKind::sink, 0}};
  const std::string text = render_text(report);
  CHECK_THAT(text,
             Contains("worker-1 was restarted 2 times: results/.framefleet/logs/worker-1.log"));
  CHECK_THAT(text, Contains("sink did not leave in time and was killed"));
}

TEST_CASE("the JSON report is one object on one line with the whole ledger") {
  RunReport report = finished_run();
  report.store->failed[0].origin = "bad\xff name";  // Not UTF-8: paths need not be.
  const std::string line = render_json(report);
  CHECK(line.find('\n') == std::string::npos);
  const auto object = nlohmann::json::parse(line);
  CHECK(object["event"] == "report");
  CHECK(object["exit_code"] == 3);
  CHECK(object["ledger"]["balanced"] == true);
  CHECK(object["ledger"]["submitted"] == 24);
  CHECK(object["store"]["outcomes"]["ok"] == 23);
  CHECK(object["store"]["detectors"][0]["detections"] == 31);
  CHECK(object["store"]["failed"][0]["reason"] == "empty_picture");
}

}  // namespace framefleet::cli
