#include "tests/support/catch.hpp"
#include "worker/decoding/encoder.hpp"
#include "worker/pool/thread_pool.hpp"

#include <poll.h>

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace framefleet::worker {
namespace {

/// Waits until something is done (a minute at most: a test that hangs should fail, not hang).
bool wait_for_done(const Pool& pool) {
  pollfd bell{pool.notify_fd(), POLLIN, 0};
  return ::poll(&bell, 1, 60'000) == 1;
}

bool is_ringing(const Pool& pool) {
  pollfd bell{pool.notify_fd(), POLLIN, 0};
  return ::poll(&bell, 1, 0) == 1;
}

PoolOptions with_slots(std::size_t slots) {
  PoolOptions options;
  options.slots = slots;
  options.line_max = 64;
  return options;
}

/// A small grey JPEG, made without OpenCV, whose libraries a thread sanitizer cannot see into.
std::string small_picture() {
  const std::vector<std::uint8_t> pixels(30 * 20, 90);
  return *JpegEncoder().encode({pixels.data(), 30, 20, 1, 30}, 90);
}

WorkOrder order_with(std::uint64_t ticket, const std::string& detector, std::string bytes) {
  const auto kept = std::make_shared<const std::string>(std::move(bytes));
  WorkOrder made;
  made.ticket = ticket;
  made.id = {7, 1, ticket, 0};
  made.task.detect = {detector};
  made.frames = {std::as_bytes(std::span(*kept))};
  made.keep_alive = kept;
  return made;
}

WorkOrder order(std::uint64_t ticket, const std::string& detector) {
  return order_with(ticket, detector, small_picture());
}

/// Until a thread is in the detector of the only order that is worked on.
void wait_for_detector(const Pool& pool) {
  std::vector<StageReport> stages;
  do {
    stages = pool.stages();
    REQUIRE(stages.size() <= 1);
  } while (stages.empty() || stages[0].stage != Stage::detect);
}

std::vector<WorkDone> take(Pool& pool, std::size_t count) {
  std::vector<WorkDone> all;
  while (all.size() < count && wait_for_done(pool)) {
    for (auto& done : pool.take_done()) all.push_back(std::move(done));
  }
  return all;
}

TEST_CASE("every order comes back once, under its ticket, with its own result") {
  ThreadPool pool(with_slots(2));
  std::set<std::uint64_t> open;
  std::uint64_t next = 0;
  std::size_t taken = 0;
  while (taken < 200) {
    while (next < 200 && pool.start(order(next, "stub"))) open.insert(next++);
    CHECK(pool.in_use() <= pool.slots() + pool.line_max());
    REQUIRE(wait_for_done(pool));
    for (const auto& done : pool.take_done()) {
      ++taken;
      CHECK(open.erase(done.ticket) == 1);
      CHECK(done.id.sequence == done.ticket);
      REQUIRE(done.result.has_value());
      CHECK(done.result->record.reports.at(0).detections.at(0).extra ==
            "{\"sequence\":" + std::to_string(done.ticket) + ",\"attempt\":1}");
    }
  }
  CHECK(open.empty());
  CHECK(pool.in_use() == 0);
}

TEST_CASE("a pool takes no more orders than slots and line, until what is done was taken") {
  ThreadPool pool(with_slots(2));
  const std::uint64_t most = pool.slots() + pool.line_max();
  CHECK(pool.start(order(1, "stub?hang=1")));
  for (std::uint64_t ticket = 2; ticket <= most; ++ticket) CHECK(pool.start(order(ticket, "stub")));
  CHECK_FALSE(pool.start(order(most + 1, "stub")));
  REQUIRE(wait_for_done(pool));
  CHECK_FALSE(pool.start(order(most + 1, "stub")));
  REQUIRE_FALSE(pool.take_done().empty());
  CHECK(pool.start(order(most + 1, "stub")));
}

TEST_CASE("what waits in the line is begun in its order, without a word from outside") {
  ThreadPool pool(with_slots(1));
  for (std::uint64_t ticket = 1; ticket <= 20; ++ticket) CHECK(pool.start(order(ticket, "stub")));
  const auto done = take(pool, 20);
  REQUIRE(done.size() == 20);
  for (std::uint64_t i = 0; i < 20; ++i) CHECK(done[i].ticket == i + 1);
}

TEST_CASE("an order is taken back while it waits, and not once a thread has it") {
  ThreadPool pool(with_slots(1));
  REQUIRE(pool.start(order(1, "stub?hang=1")));
  wait_for_detector(pool);
  auto second = order(2, "stub");
  const std::weak_ptr<const void> watch = second.keep_alive;
  REQUIRE(pool.start(std::move(second)));
  REQUIRE(pool.start(order(3, "stub")));
  CHECK(pool.take_back(2));
  CHECK(watch.expired());
  CHECK_FALSE(pool.take_back(2));
  CHECK_FALSE(pool.take_back(1));
  CHECK_FALSE(pool.take_back(9));
  CHECK(pool.in_use() == 2);
  pool.abandon(1);
  const auto done = take(pool, 2);
  REQUIRE(done.size() == 2);
  CHECK(done[0].ticket == 1);
  CHECK(done[1].ticket == 3);
  CHECK_FALSE(pool.take_back(3));
  CHECK(pool.in_use() == 0);
}

TEST_CASE("each order is taken back or done, whichever is first, and never both") {
  ThreadPool pool(with_slots(2));
  std::set<std::uint64_t> open;
  std::size_t taken_back = 0;
  for (std::uint64_t round = 0; round < 50; ++round) {
    for (std::uint64_t ticket = round * 20; ticket < round * 20 + 20; ++ticket) {
      REQUIRE(pool.start(order(ticket, "stub")));
      open.insert(ticket);
    }
    for (std::uint64_t ticket = round * 20 + 19; ticket > round * 20; --ticket) {
      if (!pool.take_back(ticket)) continue;
      CHECK(open.erase(ticket) == 1);
      ++taken_back;
    }
    while (!open.empty()) {
      REQUIRE(wait_for_done(pool));
      for (const auto& done : pool.take_done()) CHECK(open.erase(done.ticket) == 1);
    }
    CHECK(pool.in_use() == 0);
  }
  CHECK(taken_back > 0);
}

TEST_CASE("an order that is abandoned in the line is reported all the same") {
  ThreadPool pool(with_slots(1));
  REQUIRE(pool.start(order(1, "stub?hang=1")));
  wait_for_detector(pool);
  REQUIRE(pool.start(order(2, "stub?hang=1")));
  pool.abandon(2);
  pool.abandon(1);
  const auto done = take(pool, 2);
  REQUIRE(done.size() == 2);
  CHECK(done[1].ticket == 2);
  CHECK(done[1].abandoned);
}

TEST_CASE("the budget of what waits in the line is not touched") {
  auto options = with_slots(1);
  options.decode_timeout = Duration::zero();
  options.detect_timeout = Duration::zero();
  ThreadPool pool(options);
  REQUIRE(pool.start(order(1, "stub?hang=1")));
  wait_for_detector(pool);
  REQUIRE(pool.start(order(2, "stub")));
  const auto stages = pool.stages();
  REQUIRE(stages.size() == 1);
  CHECK(stages[0].ticket == 1);
  CHECK(stages[0].over_budget);
}

TEST_CASE("a bell that rings has something to tell") {
  ThreadPool pool(with_slots(1));
  std::size_t taken = 0;
  for (std::uint64_t ticket = 1; ticket <= 60; ++ticket) REQUIRE(pool.start(order(ticket, "stub")));
  while (taken < 60) {
    REQUIRE(wait_for_done(pool));
    const auto done = pool.take_done();
    CHECK_FALSE(done.empty());
    taken += done.size();
  }
  CHECK_FALSE(is_ringing(pool));
}

TEST_CASE("the bell rings while something waits to be taken, and is silent after") {
  ThreadPool pool(with_slots(1));
  CHECK_FALSE(is_ringing(pool));
  CHECK(pool.take_done().empty());
  REQUIRE(pool.start(order(1, "stub")));
  REQUIRE(wait_for_done(pool));
  CHECK(is_ringing(pool));
  CHECK(pool.take_done().size() == 1);
  CHECK_FALSE(is_ringing(pool));
}

TEST_CASE("an order that is refused comes back as an error and keeps no slot") {
  ThreadPool pool(with_slots(1));
  REQUIRE(pool.start(order_with(4, "stub", "not a picture")));
  const auto done = take(pool, 1);
  REQUIRE(done.size() == 1);
  REQUIRE_FALSE(done[0].result.has_value());
  CHECK(done[0].result.error().reason == Reason::not_a_picture);
  CHECK(pool.in_use() == 0);
}

TEST_CASE("a hang shows as a stage over its budget and ends when it is abandoned") {
  auto options = with_slots(1);
  options.detect_timeout = Duration::zero();
  ThreadPool pool(options);
  REQUIRE(pool.start(order(9, "stub?hang=1")));
  wait_for_detector(pool);
  const auto stages = pool.stages();
  REQUIRE(stages.size() == 1);
  CHECK(stages[0].ticket == 9);
  CHECK(stages[0].detector == "stub");
  CHECK(stages[0].over_budget);

  pool.abandon(8);  // No such ticket.
  CHECK_FALSE(is_ringing(pool));
  pool.abandon(9);
  const auto done = take(pool, 1);
  REQUIRE(done.size() == 1);
  CHECK(done[0].abandoned);
  CHECK(pool.stages().empty());
}

TEST_CASE("within its budget a stage is not over it") {
  ThreadPool pool(with_slots(1));
  REQUIRE(pool.start(order(9, "stub?hang=1")));
  wait_for_detector(pool);
  const auto stages = pool.stages();
  REQUIRE(stages.size() == 1);
  CHECK_FALSE(stages[0].over_budget);
}

TEST_CASE("a pool lets go of the bytes when the work is done, before it is taken") {
  ThreadPool pool(with_slots(1));
  auto made = order(1, "stub");
  const std::weak_ptr<const void> watch = made.keep_alive;
  REQUIRE(pool.start(std::move(made)));
  REQUIRE(wait_for_done(pool));
  CHECK(watch.expired());
}

TEST_CASE("a pool that is destroyed while it hangs and has work waiting ends cleanly") {
  auto pool = std::make_unique<ThreadPool>(with_slots(3));
  for (std::uint64_t ticket = 0; ticket < 3; ++ticket) {
    REQUIRE(pool->start(order(ticket, "stub?hang=1")));
  }
  pool.reset();
  SUCCEED();
}

}  // namespace
}  // namespace framefleet::worker
