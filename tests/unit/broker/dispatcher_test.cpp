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
  fleet.say(kWorker, TaskResult{{1, 1, 7, 0}, lease, "", 1ms, {}});
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
  next.end_restore();
  next.check_invariants();
  CHECK(next.fleet_status(fleet.now).in_progress.in_all() == kRoutesMax + 1);
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
    fleet.say(kWorker, TaskResult{{1, 1, i, 0}, {1, i + 1}, "", 1s, {}});
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
  fleet.say(kWorker, TaskResult{{1, 1, 0, 0}, {1, 1}, "", 1us, {}});
  const auto rows = fleet.broker.worker_rows(fleet.now);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].leased == 2 + CoreOptions{}.ahead_tasks_max);
}

TEST_CASE("a worker that claims to have taken longer than it had the task is not believed") {
  Fleet fleet;
  fleet.add_sink();
  fleet.add_worker(1);
  fleet.submit(0);
  fleet.now += 20ms;
  fleet.say(kWorker, TaskResult{{1, 1, 0, 0}, {1, 1}, "", 1h, {}});
  CHECK(fleet.broker.worker_rows(fleet.now)[0].mean_service == 20ms);
  CHECK(fleet.broker.source_rows()[0].mean_service == 20ms);
}

TEST_CASE("a broker with no work and no peers waits for nothing") {
  const Dispatcher broker{CoreOptions{}};
  CHECK(broker.next_deadline() == kNever);
}
