#include "cli/supervisor.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <csignal>

namespace framefleet::cli {
namespace {

using namespace std::chrono_literals;

constexpr ChildName kProducer{ChildKind::producer, 0};
constexpr ChildName kBroker{ChildKind::broker, 0};
constexpr ChildName kSink{ChildKind::sink, 0};
constexpr ChildName kWorker1{ChildKind::worker, 1};
constexpr ChildName kWorker2{ChildKind::worker, 2};
constexpr ExitStatus kKilled{.code = 0, .signal = SIGKILL};
constexpr ExitStatus kDone{};
constexpr ExitStatus exits(int code) { return {.code = code, .signal = 0}; }

/// A supervisor of two workers with its own time.
struct Run {
  Supervisor core{SupervisorOptions{.workers = 2, .drain_timeout = 30s, .restart = {}}};
  Time now{Time{} + 1h};
  SupervisorEffects effects;

  SupervisorEffects take() { return std::exchange(effects, {}); }
  Run& begin() { return core.begin(now, effects), *this; }
  Run& planned() { return core.planned(now, effects), *this; }
  Run& exited(const ChildName& child, const ExitStatus& status) {
    return core.exited(child, status, now, effects), *this;
  }
  Run& interrupt() { return core.interrupt(now, effects), *this; }
  Run& pass(Duration duration) {
    now += duration;
    core.tick(now, effects);
    return *this;
  }
  /// Everything running and nothing left to look at.
  Run& working() {
    begin().planned();
    take();
    return *this;
  }
};

}  // namespace

TEST_CASE("the producer plans before anything else is started") {
  Run run;
  CHECK(run.begin().take() == SupervisorEffects{Start{kProducer}});
  CHECK(run.planned().take() ==
        SupervisorEffects{Start{kBroker}, Start{kSink}, Start{kWorker1}, Start{kWorker2}});
  CHECK(run.planned().take().empty());
}

TEST_CASE("a plan that fails ends the run with the producer's code and starts nothing") {
  Run run;
  run.begin().take();
  CHECK(run.exited(kProducer, exits(66)).take().empty());
  CHECK(run.core.ended());
  CHECK(run.core.verdict().exit_code == 66);
  CHECK(run.core.verdict().culprit == kProducer);
  CHECK(run.core.next_deadline() == kNever);
}

TEST_CASE("a producer that ends well without a plan is an internal error") {
  Run run;
  run.begin().exited(kProducer, kDone);
  CHECK(run.core.ended());
  CHECK(run.core.verdict().exit_code == 70);
}

TEST_CASE("when the producer is done, workers leave first, then the broker, then the sink") {
  Run run;
  CHECK(run.working().exited(kProducer, exits(3)).take() ==
        SupervisorEffects{Terminate{kWorker1}, Terminate{kWorker2}});
  CHECK(run.exited(kWorker2, kDone).take().empty());
  CHECK(run.exited(kWorker1, kDone).take() == SupervisorEffects{Terminate{kBroker}});
  CHECK(run.exited(kBroker, kDone).take() == SupervisorEffects{Terminate{kSink}});
  CHECK_FALSE(run.core.ended());
  run.exited(kSink, kDone);
  CHECK(run.core.ended());
  CHECK(run.core.verdict().exit_code == 3);
  CHECK(run.core.verdict().cause.empty());
}

TEST_CASE("a child that does not leave in time is killed and named, and the next one is asked") {
  Run run;
  run.working().exited(kProducer, kDone).exited(kWorker1, kDone).take();
  CHECK(run.core.next_deadline() == run.now + 30s);
  CHECK(run.pass(30s).take() == SupervisorEffects{Kill{kWorker2}});
  CHECK(run.exited(kWorker2, kKilled).take() == SupervisorEffects{Terminate{kBroker}});
  CHECK(run.core.verdict().killed == std::vector{kWorker2});
}

TEST_CASE("a worker that is killed is started again after the back-off, not before") {
  Run run;
  CHECK(run.working().exited(kWorker1, kKilled).take() ==
        SupervisorEffects{RestartPlanned{kWorker1, kKilled, 100ms}});
  CHECK(run.core.next_deadline() == run.now + 100ms);
  CHECK(run.pass(99ms).take().empty());
  CHECK(run.pass(1ms).take() == SupervisorEffects{Start{kWorker1}});
  CHECK(run.core.restarts() == std::vector{Supervisor::RestartCount{kWorker1, 1}});
}

TEST_CASE("broker and sink are started again as workers are") {
  Run run;
  run.working().exited(kBroker, kKilled).exited(kSink, exits(70)).take();
  CHECK(run.pass(100ms).take() == SupervisorEffects{Start{kBroker}, Start{kSink}});
}

TEST_CASE("an exit code that speaks of a folder or an address stops everything with that code") {
  Run run;
  CHECK(run.working().exited(kSink, exits(73)).take() ==
        SupervisorEffects{Terminate{kProducer}, Terminate{kBroker}, Terminate{kWorker1},
                          Terminate{kWorker2}});
  run.exited(kProducer, exits(69)).exited(kBroker, kDone).exited(kWorker1, kDone).take();
  CHECK(run.pass(1s).take() == SupervisorEffects{Kill{kWorker2}});
  run.exited(kWorker2, kKilled);
  CHECK(run.core.ended());
  CHECK(run.core.verdict().exit_code == 73);
  CHECK(run.core.verdict().culprit == kSink);
}

TEST_CASE("a crash loop without progress ends the run with 70") {
  Run run;
  run.working();
  for (int death = 1; death < 5; ++death) {
    run.exited(kWorker1, exits(70)).take();
    run.pass(5s);
    REQUIRE(run.take() == SupervisorEffects{Start{kWorker1}});
  }
  run.exited(kWorker1, exits(70));
  CHECK(run.core.verdict().exit_code == 70);
  CHECK(run.core.verdict().culprit == kWorker1);
  CHECK(run.take().size() == 4);  // The producer, the broker, the sink and the other worker leave.
}

TEST_CASE("while the run gets on, a worker that keeps dying is started for ever") {
  Run run;
  run.working();
  for (std::uint64_t settled = 1; settled < 50; ++settled) {
    run.core.progressed(settled);
    run.exited(kWorker1, kKilled).pass(5s);
  }
  CHECK(run.core.verdict().cause.empty());
  CHECK(run.core.restarts() == std::vector{Supervisor::RestartCount{kWorker1, 49}});
}

TEST_CASE("an interrupt asks the producer alone to end; the fleet leaves after it") {
  Run run;
  CHECK(run.working().interrupt().take() == SupervisorEffects{Terminate{kProducer}});
  CHECK(run.core.draining());
  run.exited(kWorker1, kKilled).take();
  CHECK(run.pass(100ms).take() == SupervisorEffects{Start{kWorker1}});  // Still needed.
  run.exited(kProducer, kDone);
  CHECK(run.take() == SupervisorEffects{Terminate{kWorker1}, Terminate{kWorker2}});
  run.exited(kWorker1, kDone).exited(kWorker2, kDone).exited(kBroker, kDone).exited(kSink, kDone);
  CHECK(run.core.ended());
  CHECK(run.core.verdict().exit_code == 0);
  CHECK(run.core.verdict().interrupted);
}

TEST_CASE("a drain that takes too long ends with the producer's death and code 3") {
  Run run;
  run.working().interrupt().take();
  CHECK(run.pass(30s).take() == SupervisorEffects{Kill{kProducer}});
  run.exited(kProducer, kKilled);
  CHECK(run.core.verdict().exit_code == 3);
  CHECK(run.take() == SupervisorEffects{Terminate{kWorker1}, Terminate{kWorker2}});
}

TEST_CASE("a second interrupt kills everything at once") {
  Run run;
  run.working().interrupt().exited(kWorker1, kKilled).take();
  CHECK(run.interrupt().take() ==
        SupervisorEffects{Kill{kProducer}, Kill{kBroker}, Kill{kSink}, Kill{kWorker2}});
  run.exited(kProducer, kKilled).exited(kBroker, kKilled).exited(kSink, kKilled);
  CHECK_FALSE(run.core.ended());
  run.exited(kWorker2, kKilled);
  CHECK(run.core.ended());
  CHECK(run.core.verdict().exit_code == 3);
}

TEST_CASE("an interrupt after the last picture changes nothing; a second one kills what remains") {
  Run run;
  run.working().exited(kProducer, kDone).take();
  CHECK(run.interrupt().take().empty());
  CHECK_FALSE(run.core.verdict().interrupted);
  run.interrupt();
  CHECK(run.take() ==
        SupervisorEffects{Kill{kBroker}, Kill{kSink}, Kill{kWorker1}, Kill{kWorker2}});
  CHECK(run.core.verdict().exit_code == 0);
}

TEST_CASE("an interrupt while planning ends the run when the producer has ended") {
  Run run;
  CHECK(run.begin().interrupt().take() ==
        SupervisorEffects{Start{kProducer}, Terminate{kProducer}});
  run.planned();
  CHECK(run.take().empty());
  run.exited(kProducer, ExitStatus{.code = 0, .signal = SIGTERM});
  CHECK(run.core.ended());
  CHECK(run.core.verdict().exit_code == 0);
  CHECK(run.core.verdict().interrupted);
}

TEST_CASE("workers whose broker or sink is down when they are to leave are not waited for") {
  const auto down = GENERATE(kBroker, kSink);
  Run run;
  run.working().exited(down, kKilled).interrupt().take();
  run.exited(kProducer, exits(3));
  CHECK(run.take() == SupervisorEffects{Kill{kWorker1}, Kill{kWorker2}});
}

TEST_CASE("a broker that dies while the workers leave takes the workers with it") {
  Run run;
  run.working().exited(kProducer, kDone).take();
  CHECK(run.exited(kBroker, kKilled).take() == SupervisorEffects{Kill{kWorker1}, Kill{kWorker2}});
  run.exited(kWorker1, kKilled).exited(kWorker2, kKilled);
  CHECK(run.take() == SupervisorEffects{Terminate{kSink}});
}

namespace {

/// One whose workers come and go, beside a fleet or in one.
Run scaling(bool alone, std::uint32_t workers = 1) {
  Run run;
  run.core = Supervisor(SupervisorOptions{.workers = workers,
                                          .scales = true,
                                          .workers_alone = alone,
                                          .drain_timeout = 30s,
                                          .restart = {}});
  run.begin();
  if (!alone) run.planned();
  run.take();
  return run;
}
constexpr ChildName kWorker3{ChildKind::worker, 3};

}  // namespace

TEST_CASE("more workers are started under numbers that are free") {
  Run run = scaling(false);
  run.core.start_workers(2, run.now, run.effects);
  CHECK(run.take() == SupervisorEffects{Start{kWorker2}, Start{kWorker3}});
  CHECK(run.core.workers() == 3);
  run.core.asked_to_leave("worker-2");
  CHECK(run.core.workers() == 2);
  CHECK(run.core.staying_workers() == std::vector<std::string>{"worker-1", "worker-3"});
  run.exited(kWorker2, kDone);
  run.pass(1min);
  CHECK(run.take().empty());  // it was asked to leave
  run.core.start_workers(1, run.now, run.effects);
  CHECK(run.take() == SupervisorEffects{Start{kWorker2}});
  CHECK(run.core.restarts().empty());
}

TEST_CASE(
    "where workers come and go one that left in order stays away, and one that died comes back") {
  Run run = scaling(false, 2);
  run.exited(kWorker1, kDone);
  CHECK(run.core.workers() == 1);
  run.exited(kWorker2, kKilled);
  CHECK(run.core.workers() == 1);  // it is about to come back
  run.take();
  CHECK(run.pass(5s).take() == SupervisorEffects{Start{kWorker2}});
  CHECK(run.core.restarts().size() == 1);
}

TEST_CASE("a worker that was asked to leave and dies over it does not come back") {
  Run run = scaling(false, 2);
  run.core.asked_to_leave("worker-2");
  run.exited(kWorker2, kKilled);
  CHECK(run.pass(1min).take().empty());
  CHECK(run.core.workers() == 1);
}

TEST_CASE("workers that wait to be started again are the first to be given up") {
  Run run = scaling(true, 3);
  run.exited(kWorker2, kKilled);
  CHECK(run.core.give_up_waiting(2) == 1);
  CHECK(run.core.give_up_waiting(2) == 0);
  run.take();
  CHECK(run.pass(1min).take().empty());
  CHECK(run.core.workers() == 2);
}

TEST_CASE("nothing is started while a run drains") {
  Run run = scaling(false);
  run.interrupt().take();
  run.core.start_workers(3, run.now, run.effects);
  CHECK(run.take().empty());
}

TEST_CASE("workers alone begin at once, drain at the first interrupt and leave now at the second") {
  Run run = scaling(true, 2);
  CHECK(run.core.workers() == 2);
  CHECK(run.interrupt().take() == SupervisorEffects{Terminate{kWorker1}, Terminate{kWorker2}});
  run.exited(kWorker1, kDone);
  CHECK_FALSE(run.core.ended());
  CHECK(run.interrupt().take() == SupervisorEffects{Terminate{kWorker2}});
  CHECK(run.pass(2s).take() == SupervisorEffects{Kill{kWorker2}});
  run.exited(kWorker2, kKilled);
  CHECK(run.core.ended());
  CHECK(run.core.verdict().exit_code == 3);
}

TEST_CASE("workers alone that all left in order end with 0, also where there was none") {
  Run run = scaling(true, 1);
  run.interrupt().exited(kWorker1, kDone);
  CHECK(run.core.ended());
  CHECK(run.core.verdict().exit_code == 0);
  Run none = scaling(true, 0);
  none.interrupt();
  CHECK(none.core.ended());
}

TEST_CASE("a worker that cannot be started at all lets those finish that work alone") {
  Run run = scaling(true, 2);
  CHECK(run.exited(kWorker1, exits(78)).take() == SupervisorEffects{Terminate{kWorker2}});
  run.exited(kWorker2, kDone);
  CHECK(run.core.ended());
  CHECK(run.core.verdict().exit_code == 78);
}

}  // namespace framefleet::cli
