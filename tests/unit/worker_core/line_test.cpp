// Tasks that wait for a slot in a pool that has a line: it begins them without asking.

#include "tests/support/catch.hpp"
#include "tests/unit/worker_core/session_fixture.hpp"

using namespace framefleet;
using namespace framefleet::worker;
using namespace std::chrono_literals;

namespace {

/// Both slots are taken by tasks 1 and 2; 3, 4 and 5 are lined up, 6 waits in the session.
struct LineFixture : SessionFixture {
  LineFixture() : SessionFixture(3) {
    for (std::uint64_t number = 1; number <= 6; ++number) assign(number);
    REQUIRE(started() == std::vector<TaskId>{task(1), task(2), task(3), task(4), task(5)});
    REQUIRE(session.stats().running == 2);
    REQUIRE(session.stats().queued == 4);
    effects.clear();
  }
  std::vector<LeaseId> wanted_back() const {
    std::vector<LeaseId> leases;
    for (const auto& back : all<TakeBack>()) {
      leases.insert(leases.end(), back.leases.begin(), back.leases.end());
    }
    return leases;
  }
  void taken_back(const std::vector<LeaseId>& leases) { session.taken_back(leases, now, effects); }
  void begun(std::uint64_t number) { session.begun(lease(number), effects); }
  void settle(std::uint64_t number) {
    session.receive(Settled{{{task(number), Status::ok, Reason::none, ""}}}, now, effects);
  }
};

const std::vector<LeaseId> kLine{lease(3), lease(4), lease(5)};

}  // namespace

TEST_CASE("an end moves the line up: the pool has begun the next one, and gets another") {
  LineFixture f;
  SECTION("because a task finished") { f.finish(2); }
  SECTION("because a task failed") {
    f.session.failed(lease(2), Reason::undecodable, "", f.now, f.effects);
  }
  CHECK(f.started() == std::vector<TaskId>{task(6)});
  CHECK(f.session.stats().running == 2);
  CHECK(f.session.stats().queued == 3);
  f.finish(3);
  CHECK(f.released(3));
  CHECK(f.sent<Results>().back().tasks.at(0).id == task(3));
  for (const std::uint64_t number : {1U, 4U, 5U, 6U}) f.finish(number);
  CHECK(f.session.stats().running == 0);
  CHECK(f.session.stats().queued == 0);
  CHECK(f.session.stats().unsettled >= 5);
}

TEST_CASE("a task goes to the pool without its token, and comes back with it") {
  LineFixture f;
  f.assign(7);
  f.finish(1);
  f.finish(2);
  CHECK(f.all<StartTask>().at(0).task.token.empty());
  f.finish(3);
  CHECK(f.sent<Results>().at(2).tasks.at(0).token == "token");
}

TEST_CASE("what is live or has a time to live is not lined up, nor what comes after it") {
  SessionFixture f(3);
  f.assign(1);
  f.assign(2);
  f.effects.clear();
  SECTION("a time to live") {
    f.assign(3, TaskClass::batch, 300ms);
    f.assign(4);
    CHECK(f.started().empty());
    f.finish(1);
    CHECK(f.started() == std::vector<TaskId>{task(3), task(4)});
  }
  SECTION("live") {
    f.finish(1);
    REQUIRE(f.session.take_slot());
    f.assign(3, TaskClass::live);
    f.assign(4);
    CHECK(f.started().empty());
    f.session.give_back_slot(f.now, f.effects);
    CHECK(f.started() == std::vector<TaskId>{task(3), task(4)});
  }
}

TEST_CASE("at most 64 tasks wait, lined up or not") {
  LineFixture f;
  for (std::uint64_t number = 7; number <= 2 + kAheadMax; ++number) f.assign(number);
  CHECK(f.sent<Release>().empty());
  f.assign(100);
  CHECK(f.sent<Release>() == std::vector<Release>{{{{task(100), lease(100)}}}});
}

TEST_CASE("heartbeats vouch for what is lined up") {
  LineFixture f;
  f.wait(500ms);
  REQUIRE(f.sent<Heartbeat>().size() == 1);
  CHECK(f.sent<Heartbeat>()[0].leases.size() == 6);
}

TEST_CASE("a recall asks the pool for what is lined up") {
  LineFixture f;
  const Recall recall{{{task(1), lease(1)}, {task(3), lease(3)}, {task(4), lease(4)}}};
  f.session.receive(recall, f.now, f.effects);
  CHECK(f.wanted_back() == std::vector<LeaseId>{lease(3), lease(4)});
  CHECK(f.sent<Release>().empty());
  f.effects.clear();
  f.begun(3);  // just now, on the slot of a task whose end is not told yet
  f.taken_back({lease(4)});
  CHECK(f.sent<Release>() == std::vector<Release>{{{{task(4), lease(4)}}}});
  CHECK(f.released(4));
  CHECK_FALSE(f.released(3));
  CHECK(f.session.stats().running == 3);
  f.finish(1);
  CHECK(f.session.stats().running == 2);
  CHECK(f.session.stats().queued == 2);  // 5 keeps its place: the pool has begun 3, not 5
  f.finish(3);
  CHECK(f.sent<Results>().back().tasks.at(0).id == task(3));
  CHECK(f.session.stats().queued == 1);
}

TEST_CASE("what was taken back can come again") {
  LineFixture f;
  f.session.receive(Recall{{{task(5), lease(5)}}}, f.now, f.effects);
  f.taken_back({lease(5)});
  f.effects.clear();
  f.assign(5);
  f.finish(1);
  f.finish(2);
  CHECK(f.started().back() == task(5));
}

TEST_CASE("a drain gives back what is lined up, and finishes what the pool has begun of it") {
  LineFixture f;
  f.session.drain(f.now, f.effects);
  // The broker has to know of the drain first, or it would hand them out here again.
  REQUIRE(f.all<Send>().size() == 2);
  CHECK(f.all<Send>()[0].message == Message{Drain{}});
  CHECK(f.all<Send>()[1].message == Message{Release{{{task(6), lease(6)}}}});
  CHECK(f.wanted_back() == kLine);
  f.effects.clear();
  f.begun(3);
  f.taken_back({lease(4), lease(5)});
  CHECK(f.sent<Release>() == std::vector<Release>{{{{task(4), lease(4)}, {task(5), lease(5)}}}});
  for (const std::uint64_t number : {1U, 2U}) f.finish(number);
  for (const std::uint64_t number : {1U, 2U}) f.settle(number);
  CHECK(f.sent<Goodbye>().empty());
  f.finish(3);
  f.settle(3);
  CHECK(f.sent<Goodbye>().size() == 1);
  CHECK(f.started().empty());
}

TEST_CASE("a drain waits for the pool's word about its line, and not for runs that nobody wants") {
  SessionFixture f(3);
  for (std::uint64_t number = 1; number <= 3; ++number) f.assign(number);
  f.session.receive(Stale{{{task(1), lease(1)}, {task(2), lease(2)}}}, f.now, f.effects);
  f.session.drain(f.now, f.effects);
  CHECK(f.sent<Goodbye>().empty());
  f.session.taken_back({lease(3)}, f.now, f.effects);
  CHECK(f.sent<Goodbye>().size() == 1);
}

TEST_CASE("a drain without a connection lets go of what the pool gives back") {
  LineFixture f;
  f.session.receive(Goodbye{}, f.now, f.effects);
  f.effects.clear();
  f.session.drain(f.now, f.effects);
  CHECK(f.wanted_back() == kLine);
  f.taken_back(kLine);
  CHECK(f.sent<Release>().empty());
  for (const std::uint64_t number : {3U, 4U, 5U, 6U}) CHECK(f.released(number));
}

TEST_CASE("a worker that is not ready asks for its line") {
  LineFixture f;
  f.session.set_not_ready("faces fails", f.now, f.effects);
  CHECK(f.wanted_back() == kLine);
}

TEST_CASE("nothing stays in the line behind a run that nobody wants") {
  LineFixture f;
  SECTION("because the broker cancelled it") {
    f.session.receive(Stale{{{task(1), lease(1)}}}, f.now, f.effects);
  }
  SECTION("because its budget is spent") {
    f.session.overdue(lease(1), Reason::detect_timeout, "slow", f.now, f.effects);
  }
  CHECK(f.wanted_back() == kLine);
  CHECK(f.sent<Release>() == std::vector<Release>{{{{task(6), lease(6)}}}});
  f.effects.clear();
  f.taken_back(kLine);
  CHECK(f.sent<Release>() ==
        std::vector<Release>{{{{task(3), lease(3)}, {task(4), lease(4)}, {task(5), lease(5)}}}});
  CHECK(f.session.stats().queued == 0);
}

TEST_CASE("a task that is found over its budget before its beginning was told is given up") {
  LineFixture f;
  f.session.overdue(lease(3), Reason::detect_timeout, "slow", f.now, f.effects);
  CHECK(f.sent<Nack>() == std::vector<Nack>{{task(3), lease(3), Reason::detect_timeout, "slow"}});
  CHECK(f.all<AbandonTask>() == std::vector<AbandonTask>{{lease(3)}});
  CHECK(f.wanted_back() == std::vector<LeaseId>{lease(4), lease(5)});
}

TEST_CASE("a task that is cancelled while it is lined up is dropped without a word") {
  LineFixture f;
  f.session.receive(Stale{{{task(3), lease(3)}}}, f.now, f.effects);
  CHECK(f.wanted_back() == std::vector<LeaseId>{lease(3)});
  f.effects.clear();
  SECTION("where the pool gives it back") {
    f.taken_back({lease(3)});
    CHECK(f.all<Send>().empty());
    CHECK(f.released(3));
    CHECK(f.session.stats().abandoned == 0);
    CHECK(f.session.stats().stale == 0);
    CHECK(f.started() == std::vector<TaskId>{task(6)});  // into its place
  }
  SECTION("or as one that runs") {
    f.begun(3);
    CHECK(f.all<AbandonTask>() == std::vector<AbandonTask>{{lease(3)}});
    CHECK(f.wanted_back() == std::vector<LeaseId>{lease(4), lease(5)});
    CHECK(f.session.stats().stale == 1);
    f.finish(3);
    CHECK(f.sent<Results>().empty());
    CHECK(f.released(3));
    CHECK(f.released(103));
  }
}

TEST_CASE("what is lined up outlives a cut but not its broker") {
  LineFixture f;
  SECTION("the same broker") {
    f.reconnect(7);
    CHECK(f.all<TakeBack>().empty());
    CHECK(f.session.stats().queued == 4);
  }
  SECTION("a new broker") {
    f.reconnect(8);
    CHECK(f.wanted_back() == kLine);
    CHECK(f.session.stats().queued == 0);
    f.begun(3);
    f.taken_back({lease(4), lease(5)});
    CHECK(f.sent<Release>().empty());
    for (const std::uint64_t number : {4U, 5U, 6U}) CHECK(f.released(number));
    f.finish(3);
    CHECK(f.sent<Results>().empty());
    CHECK(f.released(3));
  }
}

TEST_CASE("a slot that is wanted comes after the line, which does not grow meanwhile") {
  LineFixture f;
  CHECK_FALSE(f.session.take_slot());
  REQUIRE(f.session.slot_wanted());
  for (const std::uint64_t number : {1U, 2U, 3U}) f.finish(number);
  CHECK(f.started().empty());
  CHECK_FALSE(f.session.take_slot());
  f.finish(4);
  REQUIRE(f.session.take_slot());
  f.assign(7);
  f.assign(8);
  CHECK(f.started().empty());  // 5 runs, the test has the other slot
  f.session.give_back_slot(f.now, f.effects);
  CHECK(f.started() == std::vector<TaskId>{task(6), task(7), task(8)});
}

TEST_CASE("the pool's word about what nobody knows means nothing") {
  LineFixture f;
  f.taken_back({lease(9)});
  f.begun(9);
  CHECK(f.effects.empty());
}
