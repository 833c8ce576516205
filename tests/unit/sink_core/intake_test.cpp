#include "sink/core/intake.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/effect_log.hpp"

#include <algorithm>

using namespace framefleet;
using namespace framefleet::sink;
using namespace std::chrono_literals;

namespace {

TaskId task(std::uint64_t sequence) { return {1, 1, sequence, 0}; }
SettledTask row(std::uint64_t sequence) { return {task(sequence), Status::ok, Reason::none, ""}; }

struct IntakeFixture : test::EffectLog<Effects> {
  explicit IntakeFixture(IntakeOptions options = {})
      : intake(Hello{.role = Role::sink, .name = "s", .store = "A"}, options) {
    intake.tick(now, effects);
    intake.receive(Welcome{.incarnation = 7, .heartbeat_interval = 500ms, .peer_timeout = 2500ms},
                   now, effects);
    effects.clear();
  }

  /// Outcome n comes with `bytes` of payload n + 1.
  void outcome(std::uint64_t sequence, std::uint64_t bytes = 10) {
    Outcome outcome;
    outcome.id = task(sequence);
    outcome.payload = {PayloadId{sequence + 1}, 1, bytes};
    intake.receive(Outcomes{{outcome}}, now, effects);
  }
  void control(std::uint64_t asker, ControlVerb verb) {
    Control control;
    control.asker = asker;
    control.verb = verb;
    intake.receive(control, now, effects);
  }
  /// The broker goes and comes back as another incarnation.
  void reconnect(std::uint32_t incarnation) {
    intake.receive(Goodbye{}, now, effects);
    now += 1s;
    intake.tick(now, effects);
    intake.receive(
        Welcome{.incarnation = incarnation, .heartbeat_interval = 500ms, .peer_timeout = 2500ms},
        now, effects);
  }
  void committed(std::vector<SettledTask> rows) { intake.committed(std::move(rows), now, effects); }
  std::vector<std::vector<TaskId>> batches() const {
    std::vector<std::vector<TaskId>> found;
    for (const auto& effect : effects) {
      const auto* batch = std::get_if<CommitBatch>(&effect);
      if (batch == nullptr) continue;
      found.emplace_back();
      for (const auto& outcome : batch->outcomes) found.back().push_back(outcome.id);
    }
    return found;
  }

  Intake intake;
  Time now{1s};
};

using Batches = std::vector<std::vector<TaskId>>;

}  // namespace

TEST_CASE("an idle store gets the first outcome at once, and stored is said after the commit") {
  IntakeFixture f;
  f.outcome(0);
  CHECK(f.batches() == Batches{{task(0)}});
  CHECK(f.sent<Stored>().empty());
  CHECK(f.all<ReleasePayload>().empty());
  f.committed({row(0)});
  CHECK(f.sent<Stored>() == std::vector<Stored>{{{row(0)}}});
  CHECK(f.all<ReleasePayload>() == std::vector<ReleasePayload>{{PayloadId{1}}});
  CHECK(f.intake.stats().stored == 1);
}

TEST_CASE("while the store is busy the next batch fills") {
  IntakeFixture f;
  for (std::uint64_t s = 0; s < 4; ++s) f.outcome(s);
  CHECK(f.batches().size() == 1);
  CHECK(f.intake.stats().waiting == 3);
  CHECK(f.intake.stats().waiting_bytes == 30);
  f.effects.clear();
  f.committed({row(0)});
  CHECK(f.batches() == Batches{{task(1), task(2), task(3)}});
  CHECK(f.intake.stats().waiting_bytes == 0);
}

TEST_CASE("a batch ends at its number of tasks or bytes, and takes one that is larger alone") {
  IntakeFixture f({.batch_tasks_max = 2, .batch_bytes_max = 100, .link = {}});
  f.outcome(0);
  f.outcome(1, 10);
  f.outcome(2, 10);
  f.outcome(3, 60);
  f.outcome(4, 60);
  f.outcome(5, 500);
  f.effects.clear();
  for (std::uint64_t i = 0; i < 4; ++i) f.committed({row(i)});
  CHECK(f.batches() == Batches{{task(1), task(2)}, {task(3)}, {task(4)}, {task(5)}});
}

TEST_CASE("a copy of what waits or is being committed is dropped, one that comes later is not") {
  IntakeFixture f;
  f.outcome(0);
  f.outcome(0);  // being committed
  f.outcome(1);
  f.outcome(1);  // waits
  CHECK(f.all<ReleasePayload>().size() == 2);
  f.effects.clear();
  f.committed({row(0)});
  CHECK(f.batches() == Batches{{task(1)}});
  f.outcome(0);  // the broker did not hear: the store decides, and says it again
  f.effects.clear();
  f.committed({row(1)});
  CHECK(f.batches() == Batches{{task(0)}});
}

namespace {

constexpr IntakeOptions kGathering{.gather_tasks = 8, .gather_time = 10ms, .link = {}};

/// So many outcomes, one each `apart`, each committed before the next one comes.
void have_outcomes(IntakeFixture& f, std::uint64_t count, Duration apart) {
  for (std::uint64_t s = 0; s < count; ++s) {
    f.outcome(s);
    REQUIRE(f.batches() == Batches{{task(s)}});
    f.effects.clear();
    f.committed({row(s)});
    f.now += apart;
  }
}

}  // namespace

TEST_CASE("where outcomes come quickly, a batch waits for company") {
  IntakeFixture f(kGathering);
  have_outcomes(f, 41, 1ms);  // ten within the time: more than eight
  const auto until = f.now + 9ms;
  f.outcome(41);
  REQUIRE(f.batches().empty());

  SECTION("until there are enough of them") {
    for (std::uint64_t s = 42; s < 48; ++s) f.outcome(s);
    CHECK(f.batches().empty());
    f.outcome(48);
    REQUIRE(f.batches().size() == 1);
    CHECK(f.batches().front().size() == 8);
  }
  SECTION("or for its time, and no longer") {
    CHECK(f.intake.next_deadline() == until);
    f.now = until - 1ms;
    f.intake.tick(f.now, f.effects);
    CHECK(f.batches().empty());
    f.now = until;
    f.intake.tick(f.now, f.effects);
    CHECK(f.batches() == Batches{{task(41)}});
  }
  SECTION("until the pace is another one") {
    f.now += 40ms;
    f.intake.tick(f.now, f.effects);
    REQUIRE(f.batches() == Batches{{task(41)}});
    f.committed({row(41)});
    f.effects.clear();
    f.outcome(42);
    CHECK(f.batches() == Batches{{task(42)}});
  }
  SECTION("unless somebody asks") {
    f.intake.receive(Ask{4, {task(41)}}, f.now, f.effects);
    CHECK(f.batches() == Batches{{task(41)}});
  }
  SECTION("unless the sink leaves") {
    f.intake.drain(f.now, f.effects);
    CHECK(f.batches() == Batches{{task(41)}});
  }
  SECTION("and nothing is due where nothing waits") {
    f.intake.drain(f.now, f.effects);
    f.committed({row(41)});
    CHECK(f.intake.next_deadline() > until);
  }
  SECTION("unless it is large enough in bytes") {
    f.outcome(42, kGathering.batch_bytes_max - 11);
    CHECK(f.batches().empty());
    f.outcome(43, 1);
    CHECK(f.batches() == Batches{{task(41), task(42), task(43)}});
  }
}

TEST_CASE("what comes at a camera's pace waits for nobody") {
  IntakeFixture f(kGathering);
  have_outcomes(f, 100, 1500us);  // 6.7 within the time, fewer than eight
}

TEST_CASE("a burst at a camera's pace waits for the commit before it and for nobody else") {
  IntakeFixture f(kGathering);
  for (std::uint64_t burst = 0; burst < 20; ++burst) {
    f.effects.clear();
    for (std::uint64_t s = 0; s < 4; ++s) f.outcome(burst * 4 + s);
    CHECK(f.batches().size() == 1);
    f.now += 2ms;
    f.committed({row(burst * 4)});
    CHECK(f.batches().size() == 2);
    f.committed({row(burst * 4 + 1), row(burst * 4 + 2), row(burst * 4 + 3)});
    f.now += 18ms;
  }
}

TEST_CASE("a question is answered when what came before it is committed") {
  IntakeFixture f;
  f.outcome(0);
  f.outcome(1);
  f.intake.receive(Ask{4, {task(0), task(1), task(9)}}, f.now, f.effects);
  f.outcome(2);
  f.effects.clear();
  f.committed({row(0)});
  CHECK(f.batches() == Batches{{task(1)}});
  CHECK(f.all<FindStored>().empty());
  f.effects.clear();
  f.committed({row(1)});
  CHECK(f.all<FindStored>() == std::vector<FindStored>{{4, {task(0), task(1), task(9)}}});
  CHECK(f.batches().empty());
  f.effects.clear();
  f.intake.found({row(0), row(1)}, f.now, f.effects);
  CHECK(f.sent<Known>() == std::vector<Known>{{4, {row(0), row(1)}, {task(9)}}});
  CHECK(f.batches() == Batches{{task(2)}});
}

TEST_CASE("questions are answered one after the other") {
  IntakeFixture f;
  f.intake.receive(Ask{1, {task(0)}}, f.now, f.effects);
  f.intake.receive(Ask{2, {task(1)}}, f.now, f.effects);
  CHECK(f.all<FindStored>() == std::vector<FindStored>{{1, {task(0)}}});
  f.effects.clear();
  f.intake.found({}, f.now, f.effects);
  CHECK(f.sent<Known>() == std::vector<Known>{{1, {}, {task(0)}}});
  CHECK(f.all<FindStored>() == std::vector<FindStored>{{2, {task(1)}}});
}

TEST_CASE("what is committed while the broker is away is not said: it asks by sending again") {
  IntakeFixture f;
  f.outcome(0);
  f.intake.receive(Goodbye{}, f.now, f.effects);
  f.effects.clear();
  f.committed({row(0)});
  CHECK(f.sent<Stored>().empty());
  CHECK(f.all<ReleasePayload>().size() == 1);
}

TEST_CASE("an idle sink that drains leaves, a busy one commits and confirms first") {
  IntakeFixture f;
  SECTION("idle") { f.intake.drain(f.now, f.effects); }
  SECTION("busy") {
    f.outcome(0);
    f.outcome(1);
    f.intake.drain(f.now, f.effects);
    f.committed({row(0)});
    CHECK(f.sent<Goodbye>().empty());
    CHECK_FALSE(f.intake.over());
    f.effects.clear();
    f.committed({row(1)});
    CHECK(f.sent<Stored>().size() == 1);
  }
  SECTION("being asked") {
    f.intake.receive(Ask{1, {task(0)}}, f.now, f.effects);
    f.intake.drain(f.now, f.effects);
    CHECK(f.sent<Goodbye>().empty());
    f.intake.found({}, f.now, f.effects);
    CHECK(f.sent<Known>().size() == 1);
  }
  CHECK(f.sent<Goodbye>().size() == 1);
  f.intake.receive(Goodbye{}, f.now, f.effects);
  CHECK(f.intake.over());
}

TEST_CASE("what arrives after the drain began is left to the next sink") {
  IntakeFixture f;
  f.outcome(0);
  f.intake.drain(f.now, f.effects);
  f.effects.clear();
  f.outcome(1);
  f.intake.receive(Ask{1, {task(0)}}, f.now, f.effects);
  CHECK(f.all<ReleasePayload>().size() == 1);
  CHECK(f.all<FindStored>().empty());
  f.committed({row(0)});
  CHECK(f.sent<Stored>().size() == 1);
  CHECK(f.sent<Goodbye>().size() == 1);
}

TEST_CASE("a sink beats while it is up, and lets go what it did not ask for") {
  IntakeFixture f;
  f.now += 500ms;
  f.intake.tick(f.now, f.effects);
  CHECK(f.sent<Heartbeat>().size() == 1);
  f.effects.clear();
  AssignedTask assigned;
  assigned.payload = {PayloadId{50}, 1, 10};
  f.intake.receive(Assign{{assigned}}, f.now, f.effects);
  CHECK(f.all<ReleasePayload>() == std::vector<ReleasePayload>{{PayloadId{50}}});
}

TEST_CASE("an operator's question takes its turn among outcomes and questions, and is reported") {
  IntakeFixture f;
  f.outcome(0);
  f.outcome(1);
  f.control(4, ControlVerb::dead_list);
  f.intake.receive(Ask{5, {task(9)}}, f.now, f.effects);
  f.outcome(2);
  f.effects.clear();
  f.committed({row(0)});
  CHECK(f.batches() == Batches{{task(1)}});
  CHECK(f.all<CarryOut>().empty());
  f.effects.clear();
  f.committed({row(1)});
  REQUIRE(f.all<CarryOut>().size() == 1);
  CHECK(f.all<CarryOut>().front().control.verb == ControlVerb::dead_list);
  CHECK(f.batches().empty());
  CHECK(f.all<FindStored>().empty());
  f.effects.clear();
  const Payload document{PayloadId{77}, 1, 100};
  f.intake.reported({0, Reason::none, "two", document}, f.now, f.effects);
  CHECK(f.sent<Report>() == std::vector<Report>{{4, Reason::none, "two", document}});
  CHECK(f.all<ReleasePayload>() == std::vector<ReleasePayload>{{PayloadId{77}}});
  CHECK(f.all<FindStored>().size() == 1);
  f.effects.clear();
  f.intake.found({}, f.now, f.effects);
  CHECK(f.batches() == Batches{{task(2)}});
}

TEST_CASE("a sink carries out nothing that is not about dead letters, and nothing when it leaves") {
  IntakeFixture f;
  SECTION("another verb") {
    f.control(4, ControlVerb::pause);
    REQUIRE(f.sent<Report>().size() == 1);
    CHECK(f.sent<Report>().front().reason == Reason::malformed);
  }
  SECTION("draining") {
    f.outcome(0);
    f.intake.drain(f.now, f.effects);
    f.control(4, ControlVerb::dead_purge);
    REQUIRE(f.sent<Report>().size() == 1);
    CHECK(f.sent<Report>().front().reason == Reason::no_sink);
  }
  CHECK(f.sent<Report>().front().asker == 4);
  CHECK(f.all<CarryOut>().empty());
}

TEST_CASE("a sink that drains reports first what it was asked") {
  IntakeFixture f;
  f.control(4, ControlVerb::dead_show);
  f.intake.drain(f.now, f.effects);
  CHECK(f.sent<Goodbye>().empty());
  f.intake.reported({}, f.now, f.effects);
  CHECK(f.sent<Report>().size() == 1);
  CHECK(f.sent<Goodbye>().size() == 1);
}

TEST_CASE("an answer goes to the incarnation that asked: numbers of askers begin anew") {
  IntakeFixture f;
  SECTION("an operator's") { f.control(4, ControlVerb::dead_export); }
  SECTION("a producer's") { f.intake.receive(Ask{4, {task(0)}}, f.now, f.effects); }
  const bool of_operator = !f.all<CarryOut>().empty();
  f.reconnect(8);
  f.effects.clear();
  if (of_operator) {
    f.intake.reported({0, Reason::none, "", {PayloadId{77}, 2, 100}}, f.now, f.effects);
    CHECK(f.all<ReleasePayload>() == std::vector<ReleasePayload>{{PayloadId{77}}});
  } else {
    f.intake.found({}, f.now, f.effects);
  }
  CHECK(f.all<Send>().empty());
}

TEST_CASE("questions that wait are capped, and an operator is told when the oldest makes place") {
  IntakeFixture f;
  f.outcome(0);
  for (std::uint64_t asker = 1; asker <= 64; ++asker) f.control(asker, ControlVerb::dead_list);
  CHECK(f.sent<Report>().empty());
  f.intake.receive(Ask{65, {task(0)}}, f.now, f.effects);
  REQUIRE(f.sent<Report>().size() == 1);
  CHECK(f.sent<Report>().front().asker == 1);
  CHECK(f.sent<Report>().front().reason == Reason::sink_slow);
  f.effects.clear();
  f.committed({row(0)});
  REQUIRE(f.all<CarryOut>().size() == 1);
  CHECK(f.all<CarryOut>().front().control.asker == 2);
}
