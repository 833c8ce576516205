#include "worker/core/session.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/worker_core/session_fixture.hpp"

using namespace framefleet;
using namespace framefleet::worker;
using namespace std::chrono_literals;

TEST_CASE("an assigned task is started with its payload") {
  SessionFixture f;
  f.assign(1);
  REQUIRE(f.all<StartTask>().size() == 1);
  CHECK(f.all<StartTask>()[0].task.id == task(1));
  CHECK(f.session.stats().running == 1);
}

TEST_CASE("a copy of an assignment is let go") {
  SessionFixture f;
  f.assign(1);
  f.effects.clear();
  f.assign(1);
  CHECK(f.all<StartTask>().empty());
  CHECK(f.released(1));
  CHECK(f.sent<Release>().empty());
}

TEST_CASE("an abandoned task keeps its slot for as long as the pool has it") {
  SessionFixture f;
  f.assign(1);
  f.assign(2);
  f.session.overdue(lease(1), Reason::detect_timeout, "slow", f.now, f.effects);
  CHECK(f.all<AbandonTask>() == std::vector<AbandonTask>{{lease(1)}});
  CHECK(f.sent<Nack>() == std::vector<Nack>{{task(1), lease(1), Reason::detect_timeout, "slow"}});
  f.effects.clear();
  f.assign(3);
  CHECK(f.all<StartTask>().empty());
  CHECK(f.sent<Release>() == std::vector<Release>{{{{task(3), lease(3)}}}});
  CHECK(f.released(3));
  f.effects.clear();
  SECTION("until it failed") {
    f.session.failed(lease(1), Reason::child_crashed, "killed", f.now, f.effects);
    CHECK(f.sent<Nack>().empty());
  }
  SECTION("until it finished, whose result nobody wants") {
    f.finish(1);
    CHECK(f.sent<Results>().empty());
    CHECK(f.released(101));
  }
  CHECK(f.released(1));
  f.assign(4);
  CHECK(f.all<StartTask>().size() == 1);
}

TEST_CASE("a result is sent with its token, the picture is let go, the result is kept") {
  SessionFixture f;
  f.assign(1);
  f.effects.clear();
  f.finish(1);
  REQUIRE(f.sent<Results>().size() == 1);
  CHECK(f.sent<Results>()[0] ==
        Results{{{task(1), lease(1), "token", 5ms, {PayloadId{101}, 1, 10}}}});
  CHECK(f.released(1));
  CHECK_FALSE(f.released(101));
  CHECK(f.session.stats().unsettled == 1);
  CHECK(f.session.stats().running == 0);

  f.effects.clear();
  f.session.receive(Settled{{{task(1), Status::ok, Reason::none, ""}}}, f.now, f.effects);
  CHECK(f.released(101));
  CHECK(f.session.stats().unsettled == 0);
}

TEST_CASE("a result that is not settled is sent again every five seconds") {
  SessionFixture f;
  f.assign(1);
  f.finish(1);
  f.effects.clear();
  f.wait(4999ms);
  CHECK(f.sent<Results>().empty());
  f.wait(1ms);
  CHECK(f.sent<Results>().size() == 1);
  f.wait(5s);
  CHECK(f.sent<Results>().size() == 2);
}

TEST_CASE("a failure is a nack at once") {
  SessionFixture f;
  f.assign(1);
  f.effects.clear();
  f.session.failed(lease(1), Reason::not_a_picture, "text", f.now, f.effects);
  CHECK(f.sent<Nack>() == std::vector<Nack>{{task(1), lease(1), Reason::not_a_picture, "text"}});
  CHECK(f.released(1));
  CHECK(f.session.stats().running == 0);
  CHECK(f.session.stats().nacked == 1);
}

TEST_CASE("the pool's word about a lease that is gone means nothing") {
  SessionFixture f;
  f.effects.clear();
  f.session.failed(lease(9), Reason::child_crashed, "", f.now, f.effects);
  f.session.overdue(lease(9), Reason::detect_timeout, "", f.now, f.effects);
  CHECK(f.effects.empty());
}

TEST_CASE("stale takes away what the broker does not want") {
  SessionFixture f;
  f.assign(1);
  f.effects.clear();
  SECTION("while it runs: abandoned") {
    f.session.receive(Stale{{{task(1), lease(1)}}}, f.now, f.effects);
    CHECK(f.all<AbandonTask>() == std::vector<AbandonTask>{{lease(1)}});
    CHECK(f.session.stats().abandoned == 1);
  }
  SECTION("when it is done: its result is let go") {
    f.finish(1);
    f.session.receive(Stale{{{task(1), lease(1)}}}, f.now, f.effects);
    CHECK(f.released(101));
    CHECK(f.session.stats().unsettled == 0);
  }
  CHECK(f.session.stats().stale == 1);
}

TEST_CASE("heartbeats vouch for what runs, and for nothing else") {
  SessionFixture f;
  f.assign(1);
  f.assign(2);
  f.finish(1);
  f.assign(3);
  f.session.overdue(lease(3), Reason::detect_timeout, "", f.now, f.effects);
  f.effects.clear();
  f.wait(500ms);
  CHECK(f.sent<Heartbeat>() == std::vector<Heartbeat>{{7, {lease(2)}}});
}

TEST_CASE("the same broker after a cut gets the results again and finds its tasks at work") {
  SessionFixture f;
  f.assign(1);
  f.assign(2);
  f.finish(1);
  f.reconnect(7);
  CHECK(f.sent<Results>().size() == 1);
  CHECK(f.all<AbandonTask>().empty());
  CHECK(f.session.stats().running == 1);
}

TEST_CASE("a new broker gets the results; what runs for the old one is abandoned") {
  SessionFixture f;
  f.assign(1);
  f.assign(2);
  f.finish(1);
  f.reconnect(8);
  CHECK(f.sent<Results>().size() == 1);
  CHECK(f.all<AbandonTask>() == std::vector<AbandonTask>{{lease(2)}});
  f.effects.clear();
  f.finish(2);
  CHECK(f.sent<Results>().empty());
}

TEST_CASE("a result made while the broker is away is sent when it is back") {
  SessionFixture f;
  f.assign(1);
  f.session.receive(Goodbye{}, f.now, f.effects);
  f.effects.clear();
  f.finish(1);
  CHECK(f.sent<Results>().empty());
  f.now += 300ms;
  f.session.tick(f.now, f.effects);
  f.welcome(7);
  CHECK(f.sent<Results>().size() == 1);
}

TEST_CASE("an idle worker that drains leaves at once") {
  SessionFixture f;
  f.effects.clear();
  f.session.drain(f.now, f.effects);
  CHECK(f.sent<Drain>().size() == 1);
  CHECK(f.sent<Goodbye>().size() == 1);
  f.session.receive(Goodbye{}, f.now, f.effects);
  CHECK(f.session.over());
}

TEST_CASE("a worker that drains finishes, hands over and then leaves") {
  SessionFixture f;
  f.assign(1);
  f.effects.clear();
  f.session.drain(f.now, f.effects);
  f.session.drain(f.now, f.effects);
  CHECK(f.sent<Drain>().size() == 1);
  CHECK(f.session.stats().draining);
  f.assign(2);
  CHECK(f.all<StartTask>().empty());
  CHECK(f.sent<Release>().size() == 1);
  f.finish(1);
  CHECK(f.sent<Goodbye>().empty());
  f.session.receive(Settled{{{task(1), Status::ok, Reason::none, ""}}}, f.now, f.effects);
  CHECK(f.sent<Goodbye>().size() == 1);
}

TEST_CASE("a draining worker tells a broker that comes back that it drains") {
  SessionFixture f;
  f.assign(1);
  f.session.drain(f.now, f.effects);
  f.reconnect(7);
  CHECK(f.sent<Drain>().size() == 1);
  CHECK_FALSE(f.session.over());
}

TEST_CASE("a draining worker without a broker and without work just ends") {
  Session session{Hello{.role = Role::worker, .slots = 1}, LinkOptions{}};
  Effects effects;
  session.drain(Time{1s}, effects);
  CHECK(session.over());
  CHECK(session.next_deadline() == kNever);
}

TEST_CASE("a task that nobody wants any more does not hold up a drain") {
  SessionFixture f;
  f.assign(1);
  f.session.overdue(lease(1), Reason::detect_timeout, "", f.now, f.effects);
  f.effects.clear();
  f.session.drain(f.now, f.effects);
  CHECK(f.sent<Goodbye>().size() == 1);
}
