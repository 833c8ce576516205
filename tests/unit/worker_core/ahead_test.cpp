// Tasks that a broker assigns ahead: they wait for a slot in the worker.

#include "tests/support/catch.hpp"
#include "tests/unit/worker_core/session_fixture.hpp"

using namespace framefleet;
using namespace framefleet::worker;
using namespace std::chrono_literals;

namespace {

/// Both slots are taken by tasks 1 and 2; 3 and 4 wait.
struct AheadFixture : SessionFixture {
  AheadFixture() {
    for (std::uint64_t number = 1; number <= 4; ++number) assign(number);
    REQUIRE(session.stats().running == 2);
    REQUIRE(session.stats().queued == 2);
    effects.clear();
  }
};

}  // namespace

TEST_CASE("what is assigned ahead starts in the order in which it came, as slots free up") {
  AheadFixture f;
  SECTION("because a task finished") { f.finish(2); }
  SECTION("because a task failed") {
    f.session.failed(lease(2), Reason::undecodable, "", f.now, f.effects);
  }
  CHECK(f.started() == std::vector<TaskId>{task(3)});
  CHECK_FALSE(f.released(3));
  f.finish(1);
  CHECK(f.started() == std::vector<TaskId>{task(3), task(4)});
  CHECK(f.session.stats().queued == 0);
  f.finish(3);
  CHECK(f.released(3));
}

TEST_CASE("at most 64 tasks wait; the next is given back") {
  AheadFixture f;
  for (std::uint64_t number = 5; number <= 2 + kAheadMax; ++number) f.assign(number);
  CHECK(f.session.stats().queued == kAheadMax);
  CHECK(f.sent<Release>().empty());
  f.assign(100);
  CHECK(f.session.stats().queued == kAheadMax);
  CHECK(f.sent<Release>() == std::vector<Release>{{{{task(100), lease(100)}}}});
  CHECK(f.released(100));
}

TEST_CASE("nothing waits behind a run that nobody wants and that may go on for long") {
  AheadFixture f;
  SECTION("because the broker cancelled it") {
    f.session.receive(Stale{{{task(1), lease(1)}}}, f.now, f.effects);
  }
  SECTION("because its budget is spent") {
    f.session.overdue(lease(1), Reason::detect_timeout, "slow", f.now, f.effects);
  }
  CHECK(f.sent<Release>() == std::vector<Release>{{{{task(3), lease(3)}, {task(4), lease(4)}}}});
  CHECK(f.released(3));
  CHECK(f.released(4));
  f.effects.clear();
  f.assign(5);  // to the slot that the broker takes for free
  CHECK(f.sent<Release>() == std::vector<Release>{{{{task(5), lease(5)}}}});
  f.finish(1);
  f.assign(6);
  f.assign(7);
  CHECK(f.started() == std::vector<TaskId>{task(6)});
  CHECK(f.session.stats().queued == 1);
}

TEST_CASE("a live task runs at once or goes back") {
  AheadFixture f;
  f.assign(5, TaskClass::live);
  CHECK(f.sent<Release>() == std::vector<Release>{{{{task(5), lease(5)}}}});
  CHECK(f.released(5));
  f.finish(1);
  f.finish(2);
  f.finish(3);
  f.effects.clear();
  f.assign(6, TaskClass::live);
  CHECK(f.started() == std::vector<TaskId>{task(6)});
}

TEST_CASE("heartbeats vouch for what waits as well") {
  AheadFixture f;
  f.wait(500ms);
  CHECK(f.sent<Heartbeat>() ==
        std::vector<Heartbeat>{{7, {lease(1), lease(2), lease(3), lease(4)}}});
}

TEST_CASE("a task whose time to live ends while it waits is not started") {
  SessionFixture f;
  f.assign(1);
  f.assign(2);
  f.assign(3, TaskClass::batch, 300ms);
  f.assign(4);
  f.effects.clear();
  const Nack expired{task(3), lease(3), Reason::deadline_passed, ""};
  SECTION("which a timer tells") {
    CHECK(f.session.next_deadline() == f.now + 300ms);
    f.now += 299ms;
    f.session.tick(f.now, f.effects);
    CHECK(f.sent<Nack>().empty());
    f.now += 1ms;
    f.session.tick(f.now, f.effects);
    CHECK(f.sent<Nack>() == std::vector<Nack>{expired});
    CHECK(f.released(3));
  }
  SECTION("nor when a slot frees before the timer was heard") {
    f.now += 300ms;
    f.finish(1);
    CHECK(f.sent<Nack>() == std::vector<Nack>{expired});
    CHECK(f.released(3));
    REQUIRE(f.all<StartTask>().size() == 1);
    CHECK(f.all<StartTask>()[0].task.id == task(4));
  }
  CHECK(f.session.stats().nacked == 1);
}

TEST_CASE("the time to live means nothing once work has begun") {
  SessionFixture f;
  f.assign(1, TaskClass::live, 10ms);
  f.effects.clear();
  f.wait(400ms);
  CHECK(f.sent<Nack>().empty());
  CHECK(f.session.stats().running == 1);
}

TEST_CASE("a recall brings back what is not started, and only that") {
  AheadFixture f;
  const Recall recall{{{task(1), lease(1)}, {task(4), lease(4)}, {task(9), lease(9)}}};
  f.session.receive(recall, f.now, f.effects);
  CHECK(f.sent<Release>() == std::vector<Release>{{{{task(4), lease(4)}}}});
  CHECK(f.released(4));
  CHECK_FALSE(f.released(1));
  CHECK(f.session.stats().queued == 1);
  f.effects.clear();
  f.session.receive(recall, f.now, f.effects);
  CHECK(f.sent<Release>().empty());
  f.finish(1);
  CHECK(f.started() == std::vector<TaskId>{task(3)});
}

TEST_CASE("a drain gives back at once what is not started, and finishes what is") {
  AheadFixture f;
  SECTION("of its own") { f.session.drain(f.now, f.effects); }
  SECTION("asked for by the broker") { f.session.receive(Drain{}, f.now, f.effects); }
  // The broker has to know of the drain first, or it would hand them out here again.
  REQUIRE(f.all<Send>().size() == 2);
  CHECK(f.all<Send>()[0].message == Message{Drain{}});
  CHECK(f.all<Send>()[1].message == Message{Release{{{task(3), lease(3)}, {task(4), lease(4)}}}});
  CHECK(f.released(3));
  CHECK(f.released(4));
  f.finish(1);
  f.finish(2);
  CHECK(f.started().empty());
  CHECK(f.sent<Goodbye>().empty());
  f.session.receive(Settled{{{task(1), Status::ok, Reason::none, ""}}}, f.now, f.effects);
  f.session.receive(Settled{{{task(2), Status::ok, Reason::none, ""}}}, f.now, f.effects);
  CHECK(f.sent<Goodbye>().size() == 1);
}

TEST_CASE("a drain without a connection forgets what is not started") {
  AheadFixture f;
  f.session.receive(Goodbye{}, f.now, f.effects);
  f.effects.clear();
  f.session.drain(f.now, f.effects);
  CHECK(f.sent<Release>().empty());
  CHECK(f.released(3));
  CHECK(f.session.stats().queued == 0);
}

TEST_CASE("a task that the broker cancels while it waits is dropped without a word") {
  AheadFixture f;
  f.session.receive(Stale{{{task(3), lease(3)}}}, f.now, f.effects);
  CHECK(f.all<Send>().empty());
  CHECK(f.all<AbandonTask>().empty());
  CHECK(f.released(3));
  CHECK(f.session.stats().stale == 0);
  f.finish(1);
  CHECK(f.started() == std::vector<TaskId>{task(4)});
}

TEST_CASE("what waits outlives a cut but not its broker") {
  AheadFixture f;
  SECTION("the same broker") {
    f.reconnect(7);
    CHECK(f.session.stats().queued == 2);
    f.finish(1);
    CHECK(f.started() == std::vector<TaskId>{task(3)});
  }
  SECTION("a new broker") {
    f.reconnect(8);
    CHECK(f.session.stats().queued == 0);
    CHECK(f.released(3));
    CHECK(f.released(4));
    CHECK(f.sent<Release>().empty());
    f.finish(1);
    CHECK(f.started().empty());
  }
}
