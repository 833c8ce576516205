#include "tests/support/catch.hpp"
#include "tests/unit/producer_core/submission_fixture.hpp"

namespace framefleet::producer {
namespace {

using namespace std::chrono_literals;

/// Some pictures are submitted, and the broker was busy for all of them.
struct BusyFixture : SubmissionFixture {
  explicit BusyFixture(std::uint64_t pictures)
      : SubmissionFixture({{.pictures = pictures}}, {.window_tasks = pictures}) {
    come_up();
    serve();
    for (std::uint64_t n = 0; n < pictures; ++n) busy(n);
    effects.clear();
  }
  void busy(std::uint64_t sequence, std::size_t source = 0) {
    receive(Busy{{id(sequence, source)}, Reason::backlog_tasks, 100ms});
  }
  /// What is submitted once the broker's pause is over.
  Sequences after_pause() {
    effects.clear();
    now += 100ms;
    tick();
    return submitted();
  }
  /// What is submitted because this one is admitted.
  Sequences because_of(std::uint64_t sequence) {
    effects.clear();
    admit(sequence);
    return submitted();
  }
};

TEST_CASE("busy means the same task again, after the pause that the broker asked for") {
  SubmissionFixture f({{.pictures = 1}}, {});
  f.come_up();
  f.serve();
  f.effects.clear();
  f.receive(Busy{{f.id(0)}, Reason::backlog_tasks, 100ms});
  CHECK(f.submission.stats().busy_answers == 1);
  CHECK(f.submission.next_deadline() == f.now + 100ms);
  f.now += 99ms;
  f.tick();
  CHECK(f.submitted().empty());
  f.now += 1ms;
  f.tick();
  CHECK(f.submitted() == Sequences{0});
  CHECK(f.all<ReleasePayload>().empty());
}

TEST_CASE("after a pause one task asks whether the broker is still busy") {
  BusyFixture f(20);
  CHECK(f.submission.next_deadline() == f.now + 100ms);
  CHECK(f.after_pause() == Sequences{0});
  f.busy(0);
  CHECK(f.after_pause() == Sequences{0});
  CHECK(f.submission.stats().busy_answers == 21);
}

TEST_CASE("each task that a busy broker admits lets two more go") {
  BusyFixture f(7);
  CHECK(f.after_pause() == Sequences{0});
  CHECK(f.because_of(0) == Sequences{1, 2});
  CHECK(f.because_of(1) == Sequences{3, 4});
  CHECK(f.because_of(2) == Sequences{5, 6});
  CHECK(f.because_of(3).empty());
}

TEST_CASE("a broker that is busy again is asked by one task again") {
  BusyFixture f(7);
  CHECK(f.after_pause() == Sequences{0});
  CHECK(f.because_of(0) == Sequences{1, 2});
  f.busy(1);
  CHECK(f.because_of(2).empty());
  CHECK(f.after_pause() == Sequences{1});
}

TEST_CASE("while a busy broker has not answered, the pause does not end with a second try") {
  BusyFixture f(7);
  CHECK(f.after_pause() == Sequences{0});
  CHECK(f.after_pause().empty());
  f.busy(0);
  CHECK(f.after_pause() == Sequences{0});
}

TEST_CASE("a picture that is read while the broker is busy waits behind the others") {
  SubmissionFixture f({{.pictures = 3}}, {.window_tasks = 2});
  f.come_up();
  f.serve();
  f.receive(Busy{{f.id(1)}, Reason::backlog_tasks, 100ms});
  f.effects.clear();
  f.settle(0);
  f.serve();
  CHECK(f.reads.size() == 3);
  CHECK(f.submitted().empty());
  f.now += 100ms;
  f.tick();
  CHECK(f.submitted() == Sequences{1});
}

TEST_CASE("a source that is not answered busy does not wait for one that is") {
  SubmissionFixture f({{.pictures = 1}, {.pictures = 2}}, {}, 100ms);
  f.come_up();
  f.serve();
  f.receive(Busy{{f.id(0, 0)}, Reason::source_share, 10s});
  f.admit(0, 1);
  f.effects.clear();
  f.now += 100ms;
  f.tick();
  f.serve();
  REQUIRE(f.sent<Submit>().size() == 1);
  CHECK(f.sent<Submit>()[0].tasks[0].id == f.id(1, 1));
}

TEST_CASE("a new connection knows nothing of a busy broker") {
  BusyFixture f(3);
  f.reconnect(8);
  CHECK(f.submitted() == Sequences{0, 1, 2});
}

TEST_CASE("a task that is settled while it waits for a busy broker is not sent again") {
  BusyFixture f(2);
  f.settle(0);
  CHECK(f.after_pause() == Sequences{1});
}

}  // namespace
}  // namespace framefleet::producer
