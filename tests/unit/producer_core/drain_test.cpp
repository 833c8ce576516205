// A producer that drains, in each state of its tasks.

#include "tests/support/catch.hpp"
#include "tests/unit/producer_core/submission_fixture.hpp"

using namespace framefleet;
using namespace framefleet::producer;
using namespace std::chrono_literals;

TEST_CASE("before the first connection a drain just ends, and nothing was complete") {
  SubmissionFixture f({{.pictures = 2}}, {});
  f.submission.drain(f.now, f.effects);
  CHECK(f.submission.over());
  CHECK_FALSE(f.submission.complete());
}

TEST_CASE("what is held is let go, what is admitted is waited for") {
  SubmissionFixture f({{.pictures = 3}}, {});
  f.grant_tasks = 1;
  f.come_up();
  f.serve();
  f.admit(0);  // 1 is submitted now, 2 is held
  f.effects.clear();
  f.submission.drain(f.now, f.effects);
  CHECK(f.all<ReleasePayload>().size() == 1);
  CHECK(f.submission.stats().in_flight == 2);
  f.admit(1);
  f.settle(0);
  CHECK(f.sent<Goodbye>().empty());
  f.settle(1);
  CHECK(f.sent<Goodbye>().size() == 1);
  CHECK(f.submitted().empty());
  CHECK_FALSE(f.submission.complete());
}

TEST_CASE("a drain when all was read and submitted already is complete") {
  SubmissionFixture f({{.pictures = 1}}, {});
  f.come_up();
  f.serve();
  f.submission.drain(f.now, f.effects);
  f.settle(0);
  CHECK(f.submission.complete());
}

TEST_CASE("a task that is answered busy during a drain is as if it had not been read") {
  SubmissionFixture f({{.pictures = 1}}, {});
  f.come_up();
  f.serve();
  f.submission.drain(f.now, f.effects);
  f.effects.clear();
  f.receive(Busy{{f.id(0)}, Reason::sink_slow, 100ms});
  CHECK(f.all<ReleasePayload>().size() == 1);
  CHECK(f.sent<Goodbye>().size() == 1);
  CHECK_FALSE(f.submission.complete());
}

TEST_CASE("a picture that comes during a drain is let go") {
  SubmissionFixture f({{.pictures = 1}}, {});
  f.come_up();
  f.list(f.all<ListSequences>().at(0));
  REQUIRE(f.all<ReadPicture>().size() == 1);
  f.submission.drain(f.now, f.effects);
  CHECK(f.sent<Goodbye>().empty());  // it is being read
  f.effects.clear();
  f.read({0, 0});
  CHECK(f.all<ReleasePayload>().size() == 1);
  CHECK(f.sent<Goodbye>().size() == 1);
  CHECK_FALSE(f.submission.complete());
}

TEST_CASE("a drain does not wait for pictures that take long to read and were never submitted") {
  SubmissionFixture f({{.pictures = 1}}, {});
  f.come_up();
  f.list(f.all<ListSequences>().at(0));
  REQUIRE(f.all<ReadPicture>().size() == 1);
  f.submission.drain(f.now, f.effects);
  CHECK(f.sent<Goodbye>().empty());
  f.submission.leave_unread(f.now, f.effects);
  CHECK(f.sent<Goodbye>().size() == 1);
  CHECK_FALSE(f.submission.complete());
}

TEST_CASE("a drain does not wait for answers about pictures that were never submitted") {
  SubmissionFixture f({{.pictures = 2}}, {.ask_first = true});
  f.come_up();
  f.serve();
  f.submission.drain(f.now, f.effects);
  CHECK(f.sent<Goodbye>().size() == 1);
  CHECK_FALSE(f.submission.complete());
}

TEST_CASE("what was admitted by a broker that is gone is submitted again even in a drain") {
  SubmissionFixture f({{.pictures = 1}}, {});
  f.come_up();
  f.serve();
  f.admit(0);
  f.submission.drain(f.now, f.effects);
  f.reconnect(8);
  f.receive(Known{0, {}, {f.id(0)}});
  f.serve();
  CHECK(f.submitted() == Sequences{0});
  f.settle(0);
  CHECK(f.submission.complete());
}
