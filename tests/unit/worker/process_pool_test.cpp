// A pool of real child processes of framefleet-worker: what they work on, and what a picture costs.

#include "tests/support/catch.hpp"
#include "tests/unit/worker/child_pools.hpp"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <map>
#include <span>
#include <string>

namespace framefleet::worker {
namespace {

using namespace std::chrono_literals;

std::size_t open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

TEST_CASE("a picture that a child worked on comes back as from a thread") {
  const auto pool = open_pool();
  auto what = order(3, "stub");
  what.task.annotate = true;
  const auto done = run(*pool, what);
  CHECK(done.ticket == 3);
  CHECK(done.id == what.id);
  REQUIRE(done.result.has_value());
  const auto& record = done.result->record;
  CHECK(record.width == 30);
  CHECK(record.reports.at(0).detections.at(0).extra == R"({"sequence":3,"attempt":1})");
  REQUIRE(done.result->artefacts.size() == 1);
  CHECK(done.result->artefacts[0].substr(0, 2) == "\xFF\xD8");
  CHECK(pool->in_use() == 0);
}

TEST_CASE("a child refuses what is no picture with the words of the image gate") {
  const auto pool = open_pool();
  auto what = order(1, "stub");
  const std::string text = "not a picture";
  what.frames = {std::as_bytes(std::span(text))};
  CHECK(run(*pool, what).result.error().reason == Reason::not_a_picture);
  what.frames = {};
  CHECK(run(*pool, what).result.error().reason == Reason::empty_picture);
  CHECK(pool->stats().ends.empty());
}

TEST_CASE("a warm detector with other options works in the sandbox, and nothing is denied") {
  const auto pool = open_pool();
  for (const std::string detector :
       {"faces?cascade=lbp", "faces?cascade=alt_tree", "faces?min_size=40", "people", "edges",
        "corners", "markers"}) {
    INFO(detector);
    const auto done = run(*pool, order(1, detector));
    if (!done.result) FAIL_CHECK(done.result.error().text);
  }
  CHECK(pool->stats().denied_syscalls == 0);
}

TEST_CASE("a model's file is read before the sandbox, and its picture may be a smaller one") {
  const auto pool = open_pool(
      {.models = {{"mine", "faces", "/usr/share/opencv4/lbpcascades/lbpcascade_frontalface.xml",
                   DecodeScale::half}}});
  const auto done = run(*pool, order(1, "faces?cascade=mine"));
  REQUIRE(done.result.has_value());
  CHECK(done.result->record.width == 30);
  CHECK(done.result->record.reports.at(0).version.ends_with("+scale1/2"));
  CHECK(pool->stats().denied_syscalls == 0);
}

TEST_CASE("a crash costs its own order and its child, and no other") {
  const auto pool = open_pool({.slots = 2});
  REQUIRE(pool->start(order(1, "stub?crash=1")));
  REQUIRE(pool->start(order(2, "stub?sleep=50ms")));
  for (const auto& done : take(*pool, 2)) {
    CHECK(done.result.has_value() == (done.ticket == 2));
    if (done.ticket == 2) continue;
    CHECK(done.result.error().reason == Reason::child_crashed);
    CHECK(done.result.error().text ==
          "signal 6 (Aborted) ended the child process during detect (detector \"stub\")");
  }
  CHECK(run(*pool, order(3, "stub")).result.has_value());
  CHECK(pool->stats().ends.at("crashed") == 1);
}

TEST_CASE("a hang is ended at the budget of its stage, by nobody but the pool") {
  const auto pool = open_pool({.detect_timeout = 30ms});
  const auto done = run(*pool, order(1, "stub?hang=1"));
  CHECK(done.result.error().reason == Reason::detect_timeout);
  CHECK_FALSE(done.abandoned);
  auto nothing = order(2, "stub");  // ends in its decode, which has its time on any machine
  nothing.frames = {};
  CHECK(run(*pool, nothing).result.error().reason == Reason::empty_picture);
  CHECK(pool->stats().ends.at("detect_timeout") == 1);
}

TEST_CASE("a detector that eats memory gets no more than its share, and its child lives on") {
  const auto pool = open_pool();
  const auto done = run(*pool, order(1, "stub?eat=1"));
  CHECK(done.result.error().reason == Reason::detector_error);
  CHECK(done.result.error().text == "out of memory while working on the picture");
  CHECK(run(*pool, order(2, "stub")).result.has_value());
  CHECK(pool->stats().ends.empty());
  CHECK(pool->stats().child_memory_peak < std::uint64_t{512} << 20U);
}

TEST_CASE("an abandoned order ends at its next stage, or as soon as its detector asks") {
  const auto pool = open_pool();
  REQUIRE(pool->start(order(9, "stub?hang=1")));
  pool->abandon(8);  // no such ticket
  pool->abandon(9);
  const auto done = take(*pool, 1);
  REQUIRE(done.size() == 1);
  CHECK(done[0].abandoned);
  CHECK(pool->stats().ends.empty());
  CHECK(run(*pool, order(10, "stub")).result.has_value());
}

TEST_CASE("a pool takes no more orders than it has slots, until what is done was taken") {
  const auto pool = open_pool();
  CHECK(pool->start(order(1, "stub")));
  CHECK_FALSE(pool->start(order(2, "stub")));
  CHECK(take(*pool, 1).size() == 1);
  CHECK(pool->start(order(2, "stub")));
  CHECK(pool->stages().at(0).ticket == 2);
  CHECK_FALSE(pool->stages().at(0).over_budget);
}

TEST_CASE("of a thousand orders one in a hundred fails in its own way, and nothing is left over") {
  const auto files_before = open_files();
  {
    // Long for one that works, on a machine however busy: three orders wait for its end.
    const auto pool = open_pool({.slots = 2, .detect_timeout = 4s});
    const auto what = [](std::uint64_t ticket) {
      if (ticket % 100 != 50) return order(ticket, "stub");
      constexpr std::array kFaults{"stub?crash=1", "stub?hang=1", "stub?eat=1"};
      return order(ticket, kFaults[ticket / 100 % kFaults.size()]);
    };
    std::map<Reason, int> failed;
    std::uint64_t next = 0;
    int good = 0;
    for (std::size_t taken = 0; taken < 1000;) {
      while (next < 1000 && pool->start(what(next))) ++next;
      REQUIRE(wait_for_news(*pool));
      for (const auto& done : pool->take_done()) {
        ++taken;
        if (done.result) {
          ++good;
        } else {
          ++failed[done.result.error().reason];
        }
      }
    }
    CHECK(good == 990);
    CHECK(failed[Reason::child_crashed] == 4);
    CHECK(failed[Reason::detect_timeout] >= 3);  // on a busy machine memory is eaten slowly
    CHECK(failed[Reason::detect_timeout] + failed[Reason::detector_error] == 6);
    CHECK(open_files() <= files_before + 3 + 2 * 3);  // epoll, timer, zygote; three of each child
    const auto zygote = children_of(::getpid());
    REQUIRE(zygote.size() == 1);
    CHECK(children_of(*zygote.begin()).size() <= 2);  // the dead are reaped
  }
  CHECK(open_files() == files_before);
  CHECK(children_of(::getpid()).empty());
}

}  // namespace
}  // namespace framefleet::worker
