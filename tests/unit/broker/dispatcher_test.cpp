// What of the dispatcher is easier to say in code than in a scenario: caps that take many messages,
// and numbers over time.

#include "broker/core/dispatcher.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/journal_disk.hpp"

#include <algorithm>
#include <set>

using namespace framefleet;
using namespace framefleet::broker;
using namespace std::chrono_literals;

namespace {

constexpr PeerId kProducer{1};
constexpr PeerId kSink{2};
constexpr PeerId kWorker{3};

/// A broker with a producer of one source.
class Fleet {
 public:
  explicit Fleet(const CoreOptions& options = {}) : broker(options) {
    Hello hello;
    hello.role = Role::producer;
    hello.name = "p";
    SourceClaim claim;
    claim.name = "cam";
    claim.hash = 1;
    claim.epoch = 1;
    hello.sources.push_back(claim);
    say(kProducer, hello);
  }
  void add_sink() {
    Hello hello;
    hello.role = Role::sink;
    hello.name = "s";
    hello.store = "A";
    say(kSink, hello);
  }
  void add_worker(std::uint32_t slots, std::vector<std::string> detectors = {"faces"}) {
    Hello hello;
    hello.role = Role::worker;
    hello.name = "w";
    hello.detectors = std::move(detectors);
    hello.slots = slots;
    say(kWorker, hello);
  }
  void say(PeerId from, const Message& message) {
    effects.clear();
    broker.receive(from, message, now, effects);
    broker.check_invariants();
  }
  void submit(std::uint64_t sequence, std::vector<std::string> detectors = {"faces"},
              TaskClass task_class = TaskClass::batch) {
    SubmittedTask task;
    task.id = {1, 1, sequence, 0};
    task.source = "cam";
    task.detectors = std::move(detectors);
    task.task_class = task_class;
    say(kProducer, Submit{{task}});
  }
  void store(const TaskId& id, Status status = Status::ok) {
    say(kSink, Stored{{{id, status, Reason::none, ""}}});
  }
  /// Those of the last effects.
  template <class Kind>
  std::vector<Kind> sent() const {
    std::vector<Kind> found;
    for (const auto& effect : effects) {
      const auto* send = std::get_if<SendTo>(&effect);
      if (send == nullptr) continue;
      if (const auto* message = std::get_if<Kind>(&send->message)) found.push_back(*message);
    }
    return found;
  }

  Dispatcher broker;
  Effects effects;
  Time now{};
};

}  // namespace

TEST_CASE("the 65th set of detectors at once is busy, and let in when one of them is free") {
  Fleet fleet;
  fleet.add_sink();
  for (std::uint64_t i = 0; i < kRoutesMax; ++i) {
    fleet.submit(i, {"detector-" + std::to_string(i)});
    REQUIRE(fleet.sent<Admitted>().size() == 1);
  }
  fleet.submit(64, {"detector-64"});
  REQUIRE(fleet.sent<Busy>().size() == 1);
  CHECK(fleet.sent<Busy>()[0].reason == Reason::backlog_routes);
  fleet.submit(65, {"detector-5"});  // no new set
  CHECK(fleet.sent<Admitted>().size() == 1);

  fleet.add_worker(1, {"detector-7"});
  REQUIRE(fleet.sent<Assign>().size() == 1);
  const auto lease = fleet.sent<Assign>()[0].tasks[0].lease;
  fleet.say(kWorker, Results{{{{1, 1, 7, 0}, lease, "", 1ms, {}}}});
  fleet.submit(64, {"detector-64"});
  REQUIRE(fleet.sent<Busy>().size() == 1);
  CHECK(fleet.sent<Busy>()[0].reason == Reason::backlog_routes);
  fleet.store({1, 1, 7, 0});
  fleet.submit(64, {"detector-64"});
  CHECK(fleet.sent<Admitted>().size() == 1);
}

TEST_CASE("a journal never has more sets of detectors than the next broker can number") {
  CoreOptions options;
  options.journal = true;
  Fleet fleet(options);
  test::JournalDisk<int> disk;
  const auto submit = [&](std::uint64_t sequence) {
    fleet.submit(sequence, {"detector-" + std::to_string(sequence)});
    static_cast<void>(disk.take(fleet.effects, fleet.broker, fleet.now, [](auto&) { return 0; }));
    static_cast<void>(disk.commit(disk.waiting()));
  };
  for (std::uint64_t i = 0; i < kRoutesMax; ++i) submit(i);
  Control cancel;
  cancel.verb = ControlVerb::cancel_task;
  for (std::uint64_t i = 0; i < kRoutesMax; ++i) cancel.tasks.push_back({1, 1, i, 0});
  Hello operator_;
  operator_.role = Role::client;
  operator_.name = "c";
  fleet.say(PeerId{4}, operator_);
  fleet.say(PeerId{4}, cancel);  // all of them wait for a sink that is not there
  submit(kRoutesMax);
  REQUIRE(fleet.sent<Busy>().size() == 1);

  Dispatcher next(options);
  Effects effects;
  const TaskId damaged{1, 1, kRoutesMax - 1, 0};
  disk.restore(
      next, fleet.now, [](int) { return Payload{}; }, {damaged}, effects);
  // One that is damaged too, and whose record does not say what it needed.
  JournaledTask known;
  known.id = {1, 1, kRoutesMax + 1, 0};
  next.restore_damaged(known, "damaged", fleet.now, effects);
  next.end_restore(fleet.now);
  next.check_invariants();
  CHECK(next.fleet_status(fleet.now).in_progress.in_all() == kRoutesMax + 1);
}

TEST_CASE("a source whose name was lost with a damaged journal gets it from its producer") {
  CoreOptions options;
  options.journal = true;
  Dispatcher broker(options);
  Effects effects;
  JournaledTask known;
  known.id = {1, 1, 7, 0};
  broker.restore_damaged(known, "damaged", Time{}, effects);
  broker.end_restore(Time{});
  Hello hello;
  hello.role = Role::producer;
  hello.name = "p";
  hello.sources.push_back({.name = "cam", .epoch = 1, .hash = 1});
  broker.receive(kProducer, hello, Time{}, effects);
  SubmittedTask task;
  task.id = {1, 1, 8, 0};
  task.source = "cam";
  task.detectors = {"faces"};
  broker.receive(kProducer, Submit{{task}}, Time{}, effects);
  CHECK(broker.fleet_status(Time{}).in_progress.in_all() == 2);
}

TEST_CASE("while a journal stands still, the answers that wait for it are bounded by the grant") {
  CoreOptions options;
  options.journal = true;
  options.grant_tasks = 8;
  Fleet fleet(options);
  const auto submit_foreign = [&fleet](std::uint64_t sequence) {
    SubmittedTask task;
    task.id = {2, 1, sequence, 0};
    task.source = "never claimed";
    task.payload = {PayloadId{1 + sequence}, 1, 100};
    fleet.say(kProducer, Submit{{task}});
  };
  const auto released = [&fleet] {
    return std::count_if(fleet.effects.begin(), fleet.effects.end(), [](const auto& effect) {
      return std::holds_alternative<ReleasePayload>(effect);
    });
  };
  for (std::uint64_t i = 0; i < 16; ++i) {
    submit_foreign(i);
    CHECK(fleet.sent<Busy>().empty());
    CHECK(released() == 1);
  }
  for (int again = 0; again < 100; ++again) {
    submit_foreign(16);
    REQUIRE(fleet.sent<Busy>().size() == 1);
    CHECK(fleet.sent<Busy>()[0].reason == Reason::grant_exceeded);
    CHECK(released() == 1);
  }
  fleet.effects.clear();
  fleet.broker.written(16, fleet.now, fleet.effects);
  CHECK(fleet.sent<Rejected>().size() == 16);
  submit_foreign(16);  // and there is room again
  CHECK(fleet.sent<Busy>().empty());
}

TEST_CASE("a live source has one frame waiting, however many it sends") {
  Fleet fleet;
  fleet.add_sink();
  for (std::uint64_t i = 0; i < 500; ++i) {
    fleet.submit(i, {"faces"}, TaskClass::live);
    REQUIRE(fleet.sent<Admitted>().size() == 1);
    const auto status = fleet.broker.fleet_status(fleet.now);
    REQUIRE(status.in_progress.ready == 1);
    REQUIRE(status.backlog_bytes == Task::kTables);
    for (const auto& outcomes : fleet.sent<Outcomes>()) {
      CHECK(outcomes.outcomes[0].status == Status::superseded);
      CHECK(outcomes.outcomes[0].reason == Reason::newer_frame);
      CHECK(outcomes.outcomes[0].id.sequence == i - 1);
      fleet.store(outcomes.outcomes[0].id, Status::superseded);
    }
  }
  fleet.add_worker(1);
  REQUIRE(fleet.sent<Assign>().size() == 1);
  CHECK(fleet.sent<Assign>()[0].tasks[0].id.sequence == 499);
  CHECK(fleet.broker.fleet_status(fleet.now).total.settled_as(Status::superseded) == 499);
}

TEST_CASE("outcomes that wait for the sink are capped by number too") {
  CoreOptions options;
  options.unstored_tasks_max = 3;
  Fleet fleet(options);
  fleet.add_sink();
  fleet.add_worker(10);
  for (std::uint64_t i = 0; i < 4; ++i) fleet.submit(i);
  for (std::uint64_t i = 0; i < 3; ++i) {
    fleet.now += 1s;
    fleet.say(kWorker, Results{{{{1, 1, i, 0}, {1, i + 1}, "", 1s, {}}}});
  }
  fleet.submit(9);
  REQUIRE(fleet.sent<Busy>().size() == 1);
  CHECK(fleet.sent<Busy>()[0].reason == Reason::sink_slow);
  fleet.store({1, 1, 0, 0});
  fleet.submit(9);
  CHECK(fleet.sent<Admitted>().size() == 1);
}

TEST_CASE("what a worker holds ahead is capped, however quick it is") {
  Fleet fleet;
  fleet.add_sink();
  fleet.add_worker(2);
  for (std::uint64_t i = 0; i < 200; ++i) fleet.submit(i);
  fleet.now += 1us;
  fleet.say(kWorker, Results{{{{1, 1, 0, 0}, {1, 1}, "", 1us, {}}}});
  const auto rows = fleet.broker.worker_rows(fleet.now);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].leased == 2 + CoreOptions{}.ahead_tasks_max);
}

TEST_CASE("of results that come together each is judged by itself, and all slots are filled") {
  Fleet fleet;
  fleet.add_sink();
  fleet.add_worker(3);
  for (std::uint64_t i = 0; i < 6; ++i) fleet.submit(i);
  fleet.now += 1s;
  const auto result = [](std::uint64_t sequence, std::uint64_t lease) {
    return TaskResult{{1, 1, sequence, 0}, {1, lease}, "", 1s, {PayloadId{50 + sequence}, 1, 9}};
  };
  fleet.say(kWorker, Results{{result(0, 1), result(1, 99), result(2, 3), result(0, 1)}});
  const auto outcomes = fleet.sent<Outcomes>();
  REQUIRE(outcomes.size() == 2);
  CHECK(outcomes[0].outcomes.at(0).id.sequence == 0);
  CHECK(outcomes[1].outcomes.at(0).id.sequence == 2);
  CHECK(fleet.sent<Stale>() == std::vector{Stale{{{{1, 1, 1, 0}, {1, 99}}}}});
  const auto assigned = fleet.sent<Assign>();
  REQUIRE(assigned.size() == 2);
  CHECK(assigned[0].tasks.at(0).id.sequence == 3);
  CHECK(assigned[1].tasks.at(0).id.sequence == 4);
  // What nobody will store is let go: of the stale one, and of the copy.
  const auto let_go = [&](std::uint64_t payload) {
    return std::count(fleet.effects.begin(), fleet.effects.end(),
                      Effect{ReleasePayload{PayloadId{payload}}});
  };
  CHECK(let_go(51) == 1);
  CHECK(let_go(50) == 1);
  CHECK(let_go(52) == 0);
}

TEST_CASE("a worker that claims to have taken longer than it had the task is not believed") {
  Fleet fleet;
  fleet.add_sink();
  fleet.add_worker(1);
  fleet.submit(0);
  fleet.now += 20ms;
  fleet.say(kWorker, Results{{{{1, 1, 0, 0}, {1, 1}, "", 1h, {}}}});
  CHECK(fleet.broker.worker_rows(fleet.now)[0].mean_service == 20ms);
  CHECK(fleet.broker.source_rows(fleet.now)[0].mean_service == 20ms);
}

TEST_CASE("a broker with no work and no peers waits for nothing") {
  const Dispatcher broker{CoreOptions{}};
  CHECK(broker.next_deadline() == kNever);
}

namespace {

/// A fleet whose camera's frames are known to take a tenth of a second.
class MeasuredFleet : public Fleet {
 public:
  explicit MeasuredFleet(const CoreOptions& options = {}) : Fleet(options) {
    add_sink();
    add_worker(1);
    submit(0, {"faces"}, TaskClass::live);
    const auto lease = sent<Assign>().at(0).tasks.at(0).lease;
    now += 100ms;
    say(kWorker, Results{{{{1, 1, 0, 0}, lease, "", 100ms, {}}}});
    store({1, 1, 0, 0});
  }
  double offered_slots() const { return broker.fleet_status(now).demand.offered_slots; }
};

constexpr double kSlotsPerFrame = 0.1 / 15;  // over the window

}  // namespace

TEST_CASE("frames that were superseded or skipped are demand like those that are worked on") {
  MeasuredFleet fleet;
  CHECK(fleet.offered_slots() == 0);  // the first one came before anything was measured
  fleet.submit(1, {"faces"}, TaskClass::live);
  fleet.submit(2, {"faces"}, TaskClass::live);  // waits
  fleet.submit(3, {"faces"}, TaskClass::live);  // takes its place
  CHECK(fleet.offered_slots() == Approx(3 * kSlotsPerFrame));
  fleet.submit(8, {"faces"}, TaskClass::live);  // four were replaced in their producer
  CHECK(fleet.offered_slots() == Approx(8 * kSlotsPerFrame));
  fleet.submit(8, {"faces"}, TaskClass::live);  // again
  fleet.submit(7, {"faces"}, TaskClass::live);  // late
  CHECK(fleet.offered_slots() == Approx(8 * kSlotsPerFrame));
}

TEST_CASE("what is answered busy was offered, once") {
  CoreOptions options;
  options.backlog_bytes_max = 1;
  const auto task_class = GENERATE(TaskClass::live, TaskClass::batch);
  MeasuredFleet fleet(options);
  fleet.submit(1, {"faces"}, task_class);
  for (int i = 0; i < 5; ++i) {
    fleet.submit(2, {"faces"}, task_class);
    REQUIRE(fleet.sent<Busy>().size() == 1);
  }
  CHECK(fleet.offered_slots() == Approx(2 * kSlotsPerFrame));
}

TEST_CASE("what a folder is let give is no measure of what it has") {
  MeasuredFleet fleet;
  Hello folder;
  folder.role = Role::producer;
  folder.name = "f";
  folder.sources.push_back({.name = "cam", .epoch = 1, .expected = 600, .hash = 1});
  fleet.say(PeerId{7}, folder);
  SubmittedTask task;
  task.id = {1, 1, 1, 0};
  task.source = "cam";
  task.detectors = {"faces"};
  fleet.say(PeerId{7}, Submit{{task}});
  REQUIRE(fleet.sent<Admitted>().size() == 1);
  CHECK(fleet.offered_slots() == 0);
}

TEST_CASE("of the frames that a cut kept away those count that came within the window") {
  MeasuredFleet fleet;
  fleet.submit(1, {"faces"}, TaskClass::live);
  fleet.now += 60s;
  fleet.submit(1 + 600, {"faces"}, TaskClass::live);
  CHECK(fleet.offered_slots() == Approx(150 * kSlotsPerFrame));
  fleet.now += 60s;
  fleet.submit(~std::uint64_t{0}, {"faces"}, TaskClass::live);  // whatever a producer makes up
  CHECK(fleet.broker.fleet_status(fleet.now).demand.desired_workers == 100'000);
}

TEST_CASE("a worker that is asked to leave is given nothing from that moment on") {
  Fleet fleet;
  fleet.add_sink();
  fleet.add_worker(1);
  Hello client;
  client.role = Role::client;
  client.name = "o";
  fleet.say(PeerId{9}, client);
  Control control;
  control.verb = ControlVerb::drain_idlest;
  fleet.say(PeerId{9}, control);
  REQUIRE(fleet.sent<Drain>().size() == 1);
  CHECK(fleet.broker.fleet_status(fleet.now).workers_draining == 1);
  fleet.submit(0);
  CHECK(fleet.sent<Assign>().empty());  // although it has not said yet that it drains
}
