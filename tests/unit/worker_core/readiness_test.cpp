// A worker that is not ready, and slots that are taken for something that is no task.

#include "tests/support/catch.hpp"
#include "tests/unit/worker_core/session_fixture.hpp"

using namespace framefleet;
using namespace framefleet::worker;
using namespace std::chrono_literals;

namespace {

struct Readiness : SessionFixture {
  void not_ready(const std::string& why) { session.set_not_ready(why, now, effects); }
};

}  // namespace

TEST_CASE("the hello says whether the worker is ready") {
  Session session(Hello{.role = Role::worker, .name = "w", .slots = 2}, LinkOptions{});
  Effects effects;
  session.set_not_ready("under way", Time{}, effects);
  CHECK(effects.empty());
  session.tick(Time{1s}, effects);
  REQUIRE(effects.size() == 2);
  const auto* send = std::get_if<Send>(&effects[1]);
  REQUIRE(send != nullptr);
  CHECK(std::get<Hello>(send->message).not_ready == "under way");
}

TEST_CASE("the broker hears at once that a worker is not ready, and that it is") {
  Readiness f;
  f.effects.clear();
  f.not_ready("faces fails");
  CHECK(f.sent<Heartbeat>() == std::vector<Heartbeat>{{7, {}, "faces fails"}});
  f.effects.clear();
  f.not_ready("faces fails");
  CHECK(f.effects.empty());
  f.wait(500ms);
  CHECK(f.sent<Heartbeat>() == std::vector<Heartbeat>{{7, {}, "faces fails"}});
  f.effects.clear();
  f.not_ready("");
  CHECK(f.sent<Heartbeat>() == std::vector<Heartbeat>{{7, {}, ""}});
}

TEST_CASE("what changed while the broker had not answered yet is told right after its welcome") {
  Readiness f;
  f.session.receive(Goodbye{}, f.now, f.effects);
  f.now += 300ms;
  f.session.tick(f.now, f.effects);
  f.not_ready("faces fails");
  f.effects.clear();
  f.welcome(7);
  CHECK(f.session.next_deadline() == f.now);
  f.session.tick(f.now, f.effects);
  CHECK(f.sent<Heartbeat>() == std::vector<Heartbeat>{{7, {}, "faces fails"}});
  CHECK(f.session.next_deadline() > f.now);
}

TEST_CASE("a worker that is not ready finishes what it has begun and gives back the rest") {
  Readiness f;
  for (std::uint64_t number = 1; number <= 3; ++number) f.assign(number);
  f.effects.clear();
  f.not_ready("faces fails");
  // The broker has to know first, or it would hand them out here again.
  REQUIRE(f.all<Send>().size() == 2);
  CHECK(std::holds_alternative<Heartbeat>(f.all<Send>()[0].message));
  CHECK(f.all<Send>()[1].message == Message{Release{{{task(3), lease(3)}}}});
  CHECK(f.released(3));
  f.finish(1);
  CHECK(f.sent<Results>().size() == 1);
  f.effects.clear();
  f.assign(4);  // on its way already
  CHECK(f.sent<Release>() == std::vector<Release>{{{{task(4), lease(4)}}}});
  CHECK(f.started().empty());
  f.not_ready("");
  f.assign(5);
  CHECK(f.started() == std::vector<TaskId>{task(5)});
}

TEST_CASE("a task waits for a slot that is taken for a moment, whatever its class") {
  Readiness f;
  const auto task_class = GENERATE(TaskClass::batch, TaskClass::live);
  REQUIRE(f.session.take_slot());
  f.assign(1, task_class);  // to the other slot
  CHECK(f.started() == std::vector<TaskId>{task(1)});
  f.assign(2, task_class);  // the broker takes the slot for free
  CHECK(f.started().size() == 1);
  CHECK(f.sent<Release>().empty());
  f.session.give_back_slot(f.now, f.effects);
  CHECK(f.started() == std::vector<TaskId>{task(1), task(2)});
}

TEST_CASE("behind a slot that is taken waits one live task and no more") {
  Readiness f;
  REQUIRE(f.session.take_slot());
  f.assign(1, TaskClass::live);
  f.assign(2, TaskClass::live);
  f.assign(3, TaskClass::live);
  CHECK(f.sent<Release>() == std::vector<Release>{{{{task(3), lease(3)}}}});
}

TEST_CASE("the next slot that frees is kept for whoever found none") {
  Readiness f;
  for (std::uint64_t number = 1; number <= 3; ++number) f.assign(number);
  f.effects.clear();
  CHECK_FALSE(f.session.take_slot());
  CHECK(f.session.slot_wanted());
  f.finish(1);
  CHECK(f.started().empty());
  REQUIRE(f.session.take_slot());
  CHECK_FALSE(f.session.slot_wanted());
  CHECK(f.started().empty());
  f.finish(2);
  CHECK(f.started() == std::vector<TaskId>{task(3)});
}

TEST_CASE("no slot is taken from a worker that drains, and none keeps it from leaving") {
  Readiness f;
  REQUIRE(f.session.take_slot());
  f.session.drain(f.now, f.effects);
  CHECK(f.sent<Goodbye>().size() == 1);
  CHECK_FALSE(f.session.take_slot());
  CHECK_FALSE(f.session.slot_wanted());
}
