// Sources that may get more pictures while they are worked on: watched folders, lists on a pipe.

#include "tests/support/catch.hpp"
#include "tests/unit/producer_core/submission_fixture.hpp"

using namespace framefleet;
using namespace framefleet::producer;
using namespace std::chrono_literals;

TEST_CASE("a source that may grow is waited for when all it has is done") {
  SubmissionFixture f({{.pictures = 1, .may_grow = true}}, {});
  f.come_up();
  f.serve();
  f.admit(0);
  f.settle(0);
  CHECK(f.sent<Goodbye>().empty());
  CHECK(f.submission.stats().sources_reading == 1);
  CHECK(f.submission.stats().sources_ended == 0);
  f.effects.clear();
  f.now += 1s;
  f.tick();
  CHECK(f.all<ListSequences>().empty());  // it would be asked for ever
  CHECK(f.submission.next_deadline() > f.now);
}

TEST_CASE("what comes into a source is submitted with the next numbers, and once") {
  SubmissionFixture f({{.pictures = 2, .may_grow = true}}, {});
  f.come_up();
  f.serve();
  CHECK(f.submitted() == Sequences{0, 1});
  f.effects.clear();
  f.grow(0, 2);
  f.serve();
  CHECK(f.submitted() == Sequences{2, 3});
  f.effects.clear();
  f.grow(0, 0);  // a rescan that found nothing new
  f.serve();
  CHECK(f.submitted().empty());
}

TEST_CASE("an empty source that may grow is one of which nothing has come yet") {
  SubmissionFixture f({{.pictures = 0, .may_grow = true}}, {});
  f.come_up();
  f.serve();
  CHECK(f.sent<Goodbye>().empty());
  f.grow(0, 1);
  f.serve();
  CHECK(f.submitted() == Sequences{0});
}

TEST_CASE("what comes between the question for a list and its answer is not forgotten") {
  SubmissionFixture f({{.pictures = 1, .may_grow = true}}, {});
  f.come_up();
  const auto asked = f.all<ListSequences>();
  REQUIRE(asked.size() == 1);
  f.effects.clear();
  // The list is made, then a file comes and is told of, then the list arrives.
  f.submission.more(0, true, f.now, f.effects);
  f.list(asked[0]);
  f.sources[0].pictures = 2;
  f.serve();
  CHECK(f.submitted() == Sequences{0, 1});
}

TEST_CASE("a source that grows no longer ends when what it has is done") {
  SubmissionFixture f({{.pictures = 1, .may_grow = true}}, {});
  f.come_up();
  f.serve();
  f.admit(0);
  f.settle(0);
  f.grow(0, 1, false);
  f.serve();
  f.admit(1);
  CHECK(f.sent<Goodbye>().empty());
  f.settle(1);
  CHECK(f.sent<Goodbye>().size() == 1);
  CHECK(f.submission.complete());
}

TEST_CASE("a source that ends as it is leaves when it is told so") {
  SubmissionFixture f({{.pictures = 1, .may_grow = true}}, {});
  f.come_up();
  f.serve();
  f.settle(0);
  f.grow(0, 0, false);
  f.serve();
  CHECK(f.sent<Goodbye>().size() == 1);
  CHECK(f.submission.complete());
}

TEST_CASE("a drain of a source that may grow is complete when all that came was done") {
  SubmissionFixture f({{.pictures = 1, .may_grow = true}}, {});
  f.come_up();
  f.serve();
  f.settle(0);
  f.submission.drain(f.now, f.effects);
  CHECK(f.sent<Goodbye>().size() == 1);
  CHECK(f.submission.complete());
}

TEST_CASE("what comes during a drain is left undone, and said to be") {
  SubmissionFixture f({{.pictures = 1, .may_grow = true}}, {});
  f.come_up();
  f.serve();
  f.submission.drain(f.now, f.effects);
  f.grow(0, 1);
  f.serve();
  f.settle(0);
  CHECK(f.submitted() == Sequences{0});
  CHECK(f.sent<Goodbye>().size() == 1);
  CHECK_FALSE(f.submission.complete());
}

TEST_CASE("a source that may grow goes on after a hole at its end, and the others end") {
  SubmissionFixture f({{.pictures = 2, .holes = {1}, .may_grow = true}, {.pictures = 1}}, {});
  f.come_up();
  f.serve();
  CHECK(f.submission.stats().sources_ended == 1);
  f.effects.clear();
  f.grow(0, 1);
  f.serve();
  CHECK(f.submitted() == Sequences{2});
}
