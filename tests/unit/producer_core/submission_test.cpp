#include "producer/core/submission.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/producer_core/submission_fixture.hpp"

using namespace framefleet;
using namespace framefleet::producer;
using namespace std::chrono_literals;

TEST_CASE("pictures are read, submitted, admitted, settled, and then the producer leaves") {
  SubmissionFixture f({{.pictures = 2}}, {});
  f.come_up();
  f.serve();
  CHECK(f.submitted() == Sequences{0, 1});
  CHECK(f.submission.stats().held_bytes == 2000);
  f.effects.clear();
  f.admit(0);
  CHECK(f.all<ReleasePayload>().size() == 1);
  CHECK(f.submission.stats().held_bytes == 1000);
  f.admit(1);
  f.settle(0);
  CHECK(f.sent<Goodbye>().empty());
  f.settle(1);
  REQUIRE(f.all<TaskEnded>().size() == 2);
  CHECK(f.all<TaskEnded>()[1].ref == PictureRef{0, 1});
  CHECK(f.all<TaskEnded>()[1].description == "description");
  CHECK(f.sent<Goodbye>().size() == 1);
  CHECK(f.submission.complete());
  const auto stats = f.submission.stats();
  CHECK(stats.submitted == 2);
  CHECK(stats.admitted == 2);
  CHECK(stats.settled[0] == 2);
}

TEST_CASE("a task may be settled before it is admitted, and counts once") {
  SubmissionFixture f({{.pictures = 1}}, {});
  f.come_up();
  f.serve();
  f.settle(0);
  f.admit(0);
  f.settle(0);
  CHECK(f.submission.stats().submitted == 1);
  CHECK(f.all<TaskEnded>().size() == 1);
  CHECK(f.all<ReleasePayload>().size() == 1);
}

TEST_CASE("a picture's way to the broker and to its end is timed from its reading") {
  SubmissionFixture f({{.pictures = 1}}, {});
  f.come_up();
  f.serve();
  f.now += 20ms;
  f.admit(0);
  f.now += 1s;
  f.reconnect(7);  // asked again, and admitted still: not a second time
  f.admit(0);
  f.now += 1s;
  f.effects.clear();
  f.settle(0);
  REQUIRE(f.all<TaskEnded>().size() == 1);
  CHECK(f.all<TaskEnded>()[0].total == 2320ms);  // the fixture's reconnect takes 300 ms
  CHECK(f.all<TaskAdmitted>().empty());
}

TEST_CASE("a picture is said to be admitted once, so long after its reading") {
  SubmissionFixture f({{.pictures = 1}}, {});
  f.come_up();
  f.serve();
  f.now += 20ms;
  f.admit(0);
  f.admit(0);
  CHECK(f.all<TaskAdmitted>() == std::vector{TaskAdmitted{20ms}});
}

TEST_CASE("a picture that ends before its admission is told was admitted by then") {
  SubmissionFixture f({{.pictures = 1}}, {});
  f.come_up();
  f.serve();
  f.now += 20ms;
  f.settle(0);
  CHECK(f.all<TaskAdmitted>() == std::vector{TaskAdmitted{20ms}});
  REQUIRE(f.all<TaskEnded>().size() == 1);
  CHECK(f.all<TaskEnded>()[0].total == 20ms);
  const auto stats = f.submission.stats();
  CHECK(stats.admitted == 1);
  CHECK(stats.in_flight == 0);
}

TEST_CASE("with confirm=admitted an admission is the end") {
  SubmissionFixture f({{.pictures = 1}}, {.confirm = Confirm::admitted});
  f.come_up();
  f.serve();
  f.admit(0);
  CHECK(f.sent<Goodbye>().size() == 1);
  CHECK(f.submission.complete());
}

TEST_CASE("the window holds back reading, in tasks") {
  SubmissionFixture f({{.pictures = 10}}, {.window_tasks = 3});
  f.come_up();
  f.serve();
  CHECK(f.submitted() == Sequences{0, 1, 2});
  for (std::uint64_t s = 0; s < 3; ++s) f.admit(s);
  f.serve();
  CHECK(f.reads.size() == 3);  // admitted and not yet confirmed: still in the window
  f.settle(0);
  f.serve();
  CHECK(f.submitted() == Sequences{0, 1, 2, 3});
}

TEST_CASE("a window has four pictures for each slot of the fleet, within bounds") {
  CHECK(window_for(0) == 64);
  CHECK(window_for(16) == 64);
  CHECK(window_for(17) == 68);
  CHECK(window_for(1000) == 4000);
  CHECK(window_for(20'000) == kWindowTasksMax);
  CHECK(window_for(std::uint64_t{1} << 53U) == kWindowTasksMax);
}

TEST_CASE("the window follows the fleet, up and down") {
  SubmissionFixture f({{.pictures = 300}}, {});
  f.come_up();
  f.serve();
  CHECK(f.reads.size() == 64);
  f.receive(Heartbeat{.incarnation = 7, .slots = 20});
  f.serve();
  CHECK(f.reads.size() == 80);
  f.receive(Heartbeat{.incarnation = 7, .slots = 0});
  for (std::uint64_t s = 0; s < 17; ++s) f.settle(s);
  f.serve();
  CHECK(f.reads.size() == 81);  // 63 were left
  f.receive(Heartbeat{.incarnation = 7, .slots = 20});
  f.serve();
  CHECK(f.reads.size() == 97);
}

TEST_CASE("a window that was asked for is as it was asked for") {
  SubmissionFixture f({{.pictures = 300}}, {.window_tasks = 3});
  f.come_up();
  f.receive(Heartbeat{.incarnation = 7, .slots = 100});
  f.serve();
  CHECK(f.reads.size() == 3);
}

TEST_CASE("the window holds back reading, in bytes that are held") {
  SubmissionFixture f({{.pictures = 10}}, {.window_bytes = 2500});
  f.grant_tasks = 1;
  f.come_up();
  f.serve();
  // The size of a picture is known when it has been read, and four are read at a time.
  CHECK(f.submission.stats().held_bytes >= 2500);
  CHECK(f.submission.stats().held_bytes < 2500 + 4 * 1000);
  const auto before = f.reads.size();
  std::uint64_t admitted = 0;
  while (f.submission.stats().held_bytes >= 3500) {
    f.admit(admitted++);
    f.serve();
    CHECK(f.reads.size() == before);
  }
  f.admit(admitted);
  f.serve();
  CHECK(f.reads.size() > before);
}

TEST_CASE("no more is sent than the grant allows, in tasks") {
  SubmissionFixture f({{.pictures = 4}}, {});
  f.grant_tasks = 2;
  f.come_up();
  f.serve();
  CHECK(f.submitted() == Sequences{0, 1});
  f.admit(0);
  CHECK(f.submitted() == Sequences{0, 1, 2});
}

TEST_CASE("no more is sent than the grant allows, in bytes, and a larger one alone") {
  SubmissionFixture f({{.pictures = 3}}, {});
  f.grant_bytes = 1999;
  f.come_up();
  f.serve();
  CHECK(f.submitted() == Sequences{0});
  f.admit(0);
  CHECK(f.submitted() == Sequences{0, 1});
  SubmissionFixture larger({{.pictures = 2}}, {});
  larger.grant_bytes = 10;
  larger.come_up();
  larger.serve();
  CHECK(larger.submitted() == Sequences{0});
}

TEST_CASE("a picture is kept until the broker says that it has it") {
  SubmissionFixture f({{.pictures = 1}}, {.confirm = Confirm::admitted});
  f.come_up();
  f.serve();
  REQUIRE(f.submitted() == Sequences{0});
  CHECK(f.all<ReleasePayload>().empty());
  CHECK(f.submission.stats().in_flight == 1);
  f.admit(0);
  CHECK(f.all<ReleasePayload>().size() == 1);
  CHECK(f.submission.complete());
}

TEST_CASE("a rejected task is over, told and counted") {
  SubmissionFixture f({{.pictures = 1}}, {});
  f.come_up();
  f.serve();
  f.receive(Rejected{{{f.id(0), Reason::too_large_payload, "too large"}}});
  REQUIRE(f.all<TaskEnded>().size() == 1);
  CHECK(f.all<TaskEnded>()[0].rejected);
  CHECK(f.all<TaskEnded>()[0].settled.reason == Reason::too_large_payload);
  CHECK(f.submission.stats().rejected == 1);
  CHECK(f.submission.stats().submitted == 1);
  CHECK(f.submission.complete());
}

TEST_CASE("sources are read in turns, each no faster than its interval") {
  SubmissionFixture f({{.pictures = 5}, {.pictures = 5}}, {}, 100ms);
  f.come_up();
  f.serve();
  CHECK(f.reads == std::vector<PictureRef>{{0, 0}, {1, 0}});
  CHECK(f.submission.next_deadline() == f.now + 100ms);
  f.now += 100ms;
  f.tick();
  f.serve();
  CHECK(f.reads.size() == 4);
}

TEST_CASE("a source that fell behind does not make up for all of it at once") {
  SubmissionFixture f({{.pictures = 100}}, {}, 100ms);
  f.come_up();
  f.serve();
  f.now += 2s;  // silent for less than the peer time-out
  f.tick();
  f.serve();
  CHECK(f.reads.size() <= 4);
}

TEST_CASE("a hole is passed over and the end of a source ends it") {
  SubmissionFixture f({{.pictures = 3, .known_length = false, .holes = {1}}}, {});
  f.come_up();
  f.serve();
  CHECK(f.submitted() == Sequences{0, 2});
  f.settle(0);
  f.settle(2);
  f.serve();
  CHECK(f.submission.complete());
  CHECK(f.sent<Goodbye>().size() == 1);
}

TEST_CASE("sequences are listed 256 at a time, as they are needed") {
  SubmissionFixture f({{.pictures = 300}}, {.confirm = Confirm::admitted});
  f.come_up();
  REQUIRE(f.all<ListSequences>() == std::vector<ListSequences>{{0, 0, 256}});
  f.serve();
  for (std::uint64_t s = 0; s < 300; ++s) {
    f.admit(s);
    f.serve();
  }
  CHECK(f.reads.size() == 300);
  CHECK(f.submission.complete());
}

TEST_CASE("a producer that asks first reads only what is not stored") {
  SubmissionFixture f({{.pictures = 3}}, {.ask_first = true});
  f.come_up();
  f.serve();
  CHECK(f.reads.empty());
  REQUIRE(f.sent<Ask>().size() == 1);
  CHECK(f.sent<Ask>()[0].tasks == std::vector<TaskId>{f.id(0), f.id(1), f.id(2)});
  f.receive(Known{0, {{f.id(0), Status::failed, Reason::undecodable, "x"}}, {f.id(1)}});
  f.serve();
  CHECK(f.reads == std::vector<PictureRef>{{0, 1}});
  REQUIRE(f.all<TaskEnded>().size() == 1);
  CHECK(f.all<TaskEnded>()[0].description.empty());
  CHECK(f.submission.stats().stored_before == 1);
  // The third is in progress: an earlier producer submitted it.
  f.admit(2);
  f.settle(2);
  CHECK(f.submission.stats().settled[0] == 1);
  f.settle(1);
  CHECK(f.submission.complete());
}

TEST_CASE("after a cut everything that was under way is asked about, and nothing else is sent") {
  SubmissionFixture f({{.pictures = 3}}, {});
  f.grant_tasks = 2;
  f.come_up();
  f.serve();
  f.admit(0);  // so 0 is admitted, 1 and 2 are submitted
  f.reconnect(7);
  REQUIRE(f.sent<Ask>().size() == 1);
  CHECK(f.sent<Ask>()[0].tasks == std::vector<TaskId>{f.id(0), f.id(1), f.id(2)});
  CHECK(f.submitted().empty());
}

TEST_CASE("what a new broker does not know is submitted again, read again where it was let go") {
  SubmissionFixture f({{.pictures = 2}}, {});
  f.come_up();
  f.serve();
  f.admit(0);
  f.reconnect(8);
  f.receive(Known{0, {}, {f.id(0), f.id(1)}});
  CHECK(f.submitted() == Sequences{1});  // its payload is still here
  f.serve();
  CHECK(f.submitted() == Sequences{1, 0});
  CHECK(f.reads == std::vector<PictureRef>{{0, 0}, {0, 1}, {0, 0}});
  f.admit(0);
  f.admit(1);
  CHECK(f.submission.stats().submitted == 2);  // an id counts once
}

TEST_CASE("a picture that is gone or another one when its broker forgot it is said to be gone") {
  SubmissionFixture f({{.pictures = 1, .digest = "as it was"}}, {});
  const bool is_gone = GENERATE(true, false);
  f.come_up();
  f.serve();
  f.admit(0);
  f.reconnect(8);
  if (is_gone) f.sources[0].holes = {0};
  f.sources[0].digest = "as it is";
  f.receive(Known{0, {}, {f.id(0)}});
  f.serve();
  CHECK(f.said_gone() == Sequences{0});
  CHECK(f.submission.stats().held_bytes == 0);
  CHECK(f.all<TaskEnded>().empty());
  f.admit(0);
  f.reconnect(9);  // and that broker forgot it, too
  f.receive(Known{0, {}, {f.id(0)}});
  CHECK(f.said_gone() == Sequences{0});
  f.lose(0);
  REQUIRE(f.all<TaskEnded>().size() == 1);
  CHECK(f.submission.stats().submitted == 1);
  CHECK(f.submission.stats().settled.at(static_cast<std::size_t>(Status::lost)) == 1);
  CHECK(f.submission.complete());
}

TEST_CASE("what is not answered for five seconds is asked about, without end") {
  SubmissionFixture f({{.pictures = 1}}, {});
  f.come_up();
  f.serve();
  const auto pass = [&f](Duration time) {
    for (const Time end = f.now + time; f.now < end;) {
      f.now = std::min(end, f.now + 500ms);
      f.receive(Heartbeat{7, {}});
      f.tick();
    }
  };
  pass(4500ms);
  CHECK(f.sent<Ask>().empty());
  pass(500ms);
  CHECK(f.sent<Ask>().size() == 1);
  pass(5s);  // the question got lost
  CHECK(f.sent<Ask>().size() == 2);
  f.receive(Known{0, {{f.id(0), Status::ok, Reason::none, ""}}, {}});
  CHECK(f.submission.complete());
}
