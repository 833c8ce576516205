// A sink that stands still: memory stays bounded, everybody is told, nothing is lost.

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

constexpr std::uint64_t kResultBytes = 50'000;
constexpr std::uint64_t kPictureBytes = 100'000;

LabOptions small_caps() {
  LabOptions options;
  options.broker.backlog_bytes_max = 32'000'000;
  options.broker.unstored_bytes_max = 8'000'000;
  return options;
}

}  // namespace

TEST_CASE("while the sink stands still memory is bounded, live stays fresh, and then all drains") {
  Duration away = 20s;
  bool is_frozen = false;
  SECTION("its store hangs, and it says so by its heartbeats") {}
  SECTION("it is stopped, and nothing is heard of it") { is_frozen = true; }
  SECTION("nothing is heard of it for five minutes") {
    is_frozen = true;
    away = 5min;
  }
  const auto options = small_caps();
  Lab lab(options);
  const std::uint32_t slots = 2;
  for (int i = 0; i < 2; ++i) {
    lab.add_worker({.service = always(5ms), .slots = slots, .result_bytes = kResultBytes});
  }
  const auto batch = lab.add_source({.name = "batch",
                                     .pictures = 12'000,
                                     .window_tasks = 1000,
                                     .confirm = producer::Confirm::admitted,
                                     .picture_bytes = kPictureBytes});
  constexpr Duration kFrame = Duration{1s} / 30;
  const auto frames = static_cast<std::uint64_t>((away + 40s) / kFrame);
  const auto camera = lab.add_source({.name = "camera",
                                      .pictures = frames,
                                      .interval = kFrame,
                                      .task_class = TaskClass::live,
                                      .picture_bytes = kPictureBytes});
  std::uint64_t unstored_peak = 0;
  std::uint64_t backlog_peak = 0;
  std::uint64_t busy_seen = 0;
  std::uint64_t done_when_stopped = 0;
  for (Duration at = 50ms; at <= away + 6s; at += 50ms) {
    lab.run_until(at);
    if (at == 5s) {
      lab.stop_store();
      if (is_frozen) lab.freeze_sink();
      done_when_stopped = lab.count(batch, Status::ok);
    }
    if (at == away + 4s) {  // long enough at its caps: nothing moves any more
      CHECK(lab.count(batch, Status::ok) == done_when_stopped);
    }
    if (at == away + 5s) {
      busy_seen = lab.broker().stats(lab.now()).busy_answers;
      lab.resume_store();
      if (is_frozen) lab.thaw_sink();
    }
    const auto status = lab.broker().fleet_status(lab.now());
    unstored_peak = std::max(unstored_peak, status.unstored_bytes);
    backlog_peak = std::max(backlog_peak, status.backlog_bytes);
    CHECK(lab.ledger_errors() == "");
  }
  // What had been handed out when the cap was reached still comes in.
  const std::uint64_t handed_out = 2 * (slots + slots * 2 + 1);
  CHECK(unstored_peak <= options.broker.unstored_bytes_max + handed_out * (kResultBytes + 2000));
  CHECK(unstored_peak >= options.broker.unstored_bytes_max);
  CHECK(backlog_peak <= options.broker.backlog_bytes_max);
  CHECK(lab.broker_bytes_peak() <= options.broker.backlog_bytes_max +
                                       options.broker.unstored_bytes_max +
                                       handed_out * kResultBytes);
  CHECK(lab.worker_bytes_peak(0) <=
        options.broker.unstored_bytes_max + handed_out * (kResultBytes + kPictureBytes));
  CHECK(busy_seen > 0);
  REQUIRE(lab.run_to_end(away + 280s));
  CHECK(lab.ledger_errors() == "");
  CHECK(lab.count(batch, Status::ok) == 12'000);
  const auto account = lab.source_row(camera).account;
  CHECK(account.submitted + lab.producer_stats(camera).skipped == frames);
  const auto ages = ages_at_start(lab, camera);
  CHECK(longest(ages) <= 2 * kFrame);
  CHECK(account.settled_as(Status::ok) + account.settled_as(Status::superseded) ==
        account.submitted);
  CHECK(lab.broker_bytes() == 0);
  print(
      "sink still for {:.0f} s: unstored at most {:.1f} of {:.1f} MB, backlog {:.1f} of {:.1f} MB, "
      "payloads in the broker {:.1f} MB, in a worker {:.1f} MB; busy answers {}; live at most "
      "{:.0f} ms old; all {} ok after",
      seconds(away), 1e-6 * static_cast<double>(unstored_peak),
      1e-6 * static_cast<double>(options.broker.unstored_bytes_max),
      1e-6 * static_cast<double>(backlog_peak),
      1e-6 * static_cast<double>(options.broker.backlog_bytes_max),
      1e-6 * static_cast<double>(lab.broker_bytes_peak()),
      1e-6 * static_cast<double>(lab.worker_bytes_peak(0)), busy_seen, ms(longest(ages)),
      lab.count(batch, Status::ok));
}

TEST_CASE("a slow sink slows the fleet down to its own pace and no memory grows") {
  LabOptions options;
  options.commit_time = 500ms;
  options.broker.sink_window = 32;  // 64 outcomes a second at most
  options.broker.unstored_tasks_max = 200;
  Lab lab(options);
  lab.add_worker({.service = always(2ms)});
  const auto source = lab.add_source({.name = "batch",
                                      .pictures = 3000,
                                      .window_tasks = 1000,
                                      .confirm = producer::Confirm::admitted});
  std::uint64_t unstored_peak = 0;
  for (Duration at = 50ms; at <= 20s; at += 50ms) {
    lab.run_until(at);
    const auto row = lab.source_row(source);
    unstored_peak = std::max(unstored_peak, row.in_progress.storing);
  }
  CHECK(unstored_peak <= 200 + 1 + 6);  // and what was handed out when the cap was reached
  REQUIRE(lab.run_to_end(120s));
  CHECK(lab.ledger_errors() == "");
  CHECK(lab.count(source, Status::ok) == 3000);
  print("a sink of 64/s behind a worker of 500/s: unstored at most {} of 200, all 3000 ok",
        unstored_peak);
}
