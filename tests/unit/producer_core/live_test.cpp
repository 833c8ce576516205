// Live sources: read at their pace, the newest frame is submitted, the others are skipped.

#include "tests/support/catch.hpp"
#include "tests/unit/producer_core/submission_fixture.hpp"

using namespace framefleet;
using namespace framefleet::producer;
using namespace std::chrono_literals;

namespace {

constexpr Duration kPace = 100ms;

/// Cameras of ten frames a second.
struct LiveFixture : SubmissionFixture {
  explicit LiveFixture(std::uint64_t pictures = 1000, std::size_t cameras = 1,
                       SubmissionOptions options = {}, Duration interval = kPace)
      : SubmissionFixture(std::vector<Source>(cameras, camera(pictures)), options, interval) {}

  static Source camera(std::uint64_t pictures) {
    return {.pictures = pictures, .task_class = TaskClass::live};
  }
  /// The frames of this many intervals are read; the broker, where there is one, is heard.
  void frames(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      now += kPace;
      if (submission.link().up()) receive(Heartbeat{7, {}});
      tick();
      serve();
    }
  }
  /// The camera is up and its first frame submitted.
  void begin() {
    come_up();
    serve();
    REQUIRE(submitted() == Sequences{0});
    effects.clear();
  }
  std::uint64_t skipped() const { return submission.stats().skipped; }
  std::uint64_t settled(Status status) const {
    return submission.stats().settled.at(static_cast<std::size_t>(status));
  }
  std::size_t released() const { return all<ReleasePayload>().size(); }
};

}  // namespace

TEST_CASE("a live source has one frame unanswered; newer ones take each other's place") {
  LiveFixture f;
  f.begin();
  f.frames(3);
  CHECK(f.submitted().empty());
  CHECK(f.skipped() == 2);
  CHECK(f.released() == 2);
  CHECK(f.submission.stats().held_bytes == 2000);  // the unanswered and the newest
  CHECK(f.all<TaskEnded>().empty());
  f.admit(0);
  CHECK(f.submitted() == Sequences{3});
  f.admit(3);
  f.frames(1);
  CHECK(f.submitted() == Sequences{3, 4});  // those that wait to be settled hold up nothing
  CHECK(f.skipped() == 2);
  CHECK(f.submission.stats().submitted == 2);
}

TEST_CASE("a live source is read at its pace although nobody is there") {
  LiveFixture f;
  f.tick();
  f.serve();
  f.frames(50);
  CHECK(f.reads.size() == 51);
  CHECK(f.skipped() == 50);
  CHECK(f.submission.stats().held_bytes == 1000);
  f.receive(Goodbye{});
  f.now += 300ms;
  f.tick();
  f.serve();
  f.effects.clear();
  f.welcome();
  CHECK(f.submitted() == Sequences{f.reads.back().sequence});
}

TEST_CASE("a live source is read at its pace although the window of the batch tasks is full") {
  SubmissionFixture f({{.pictures = 10}, LiveFixture::camera(10)}, {.window_tasks = 2}, kPace);
  f.come_up();
  f.serve();
  for (int i = 0; i < 9; ++i) {
    f.now += kPace;
    f.receive(Heartbeat{7, {}});
    f.serve();
  }
  const auto live = std::count_if(f.reads.begin(), f.reads.end(),
                                  [](const PictureRef& ref) { return ref.source == 1; });
  CHECK(live == 10);
  CHECK(f.reads.size() == 12);  // and live frames do not fill the window of the others
}

TEST_CASE("what a stalled camera should have read meanwhile is not made up for") {
  LiveFixture f;
  f.begin();
  f.now += 1050ms;
  f.receive(Heartbeat{7, {}});
  f.serve();
  CHECK(f.reads.size() == 2);
  f.now += 49ms;
  f.tick();
  f.serve();
  CHECK(f.reads.size() == 2);
  f.now += 1ms;  // in step with its first frame
  f.tick();
  f.serve();
  CHECK(f.reads.size() == 3);
}

TEST_CASE("after a busy the newest frame waits for as long as the broker asked") {
  LiveFixture f;
  f.begin();
  const Busy busy{{f.id(0)}, Reason::sink_slow, 250ms};
  SECTION("and the frame itself is tried again while there is no newer one") {
    f.receive(busy);
    CHECK(f.submission.next_deadline() == f.now + kPace);
    CHECK(f.submission.stats().held_bytes == 1000);
    SECTION("which is the end of it when one comes") {
      f.frames(2);
      CHECK(f.submitted().empty());
      CHECK(f.skipped() == 2);
      f.now += 50ms;
      f.tick();
      CHECK(f.submitted() == Sequences{2});
    }
    SECTION("at the end of a source, too") {
      f.sources[0].pictures = 1;
      f.frames(2);
      CHECK(f.submission.next_deadline() == f.now + 50ms);
      f.now += 50ms;
      f.tick();
      CHECK(f.submitted() == Sequences{0});
      f.settle(0);
      CHECK(f.submission.complete());
    }
  }
  SECTION("and the frame is skipped where there is a newer one") {
    f.frames(1);
    f.receive(busy);
    CHECK(f.skipped() == 1);
    CHECK(f.released() == 1);
    f.now += 249ms;
    f.tick();
    CHECK(f.submitted().empty());
    f.now += 1ms;
    f.tick();
    CHECK(f.submitted() == Sequences{1});
  }
}

TEST_CASE("a new connection knows nothing of a broker that was busy") {
  LiveFixture f;
  f.begin();
  f.receive(Busy{{f.id(0)}, Reason::draining, 1min});
  f.reconnect(8);
  CHECK(f.submitted().size() == 1);
}

TEST_CASE("a frame that is tried again and again counts once among those that are submitted") {
  LiveFixture f;
  f.begin();
  f.sources[0].pictures = 1;
  f.frames(1);
  for (int i = 0; i < 70; ++i) {
    f.receive(Busy{{f.id(0)}, Reason::sink_slow, kPace});
    f.effects.clear();
    f.frames(1);
    REQUIRE(f.submitted() == Sequences{0});
  }
  f.settle(0);
  CHECK(f.submission.complete());
  CHECK(f.submission.stats().submitted == 1);
}

TEST_CASE("at most 64 frames of a camera are submitted and not settled, then frames are skipped") {
  LiveFixture f;
  f.begin();
  for (std::uint64_t sequence = 0; sequence < 63; ++sequence) {
    f.admit(sequence);
    f.frames(1);
  }
  f.admit(63);
  CHECK(f.submission.stats().submitted == 64);
  CHECK(f.skipped() == 0);
  f.effects.clear();
  f.frames(3);
  CHECK(f.submitted().empty());
  CHECK(f.skipped() == 2);
  f.settle(10);
  CHECK(f.submitted() == Sequences{66});
}

TEST_CASE("a live frame that its broker does not know is said to be gone, not sent again") {
  LiveFixture f(4);
  f.begin();
  f.admit(0);
  f.frames(2);  // 0 is admitted, 1 submitted, 2 held
  REQUIRE(f.submitted() == Sequences{1});
  f.reconnect(8);
  CHECK(f.submitted() == Sequences{3});  // the newest waits for no answer of the old connection
  CHECK(f.skipped() == 1);
  REQUIRE(f.sent<Ask>().size() == 1);
  CHECK(f.sent<Ask>()[0].tasks == std::vector<TaskId>{f.id(0), f.id(1)});
  CHECK(f.submission.stats().held_bytes == 1000);
  f.receive(Known{0, {}, {f.id(0), f.id(1)}});
  f.serve();
  CHECK(f.submitted() == Sequences{3, 0, 1});
  CHECK(f.said_gone() == Sequences{0, 1});
  CHECK(f.reads.size() == 4);
  CHECK(f.all<TaskEnded>().empty());
  f.admit(0);
  f.lose(0);
  f.receive(Busy{{f.id(1)}, Reason::sink_slow, 100ms});
  f.now += 100ms;
  f.admit(3);
  CHECK(f.said_gone() == Sequences{0, 1, 1});  // neither skipped nor forgotten
  f.lose(1);
  REQUIRE(f.all<TaskEnded>().size() == 2);
  CHECK(f.all<TaskEnded>()[1].settled.id == f.id(1));
  CHECK(f.settled(Status::lost) == 2);
  f.settle(3);
  f.frames(1);
  CHECK(f.submission.complete());
  CHECK(f.submission.stats().submitted == 3);
  CHECK(f.submission.stats().submitted + f.skipped() == 4);
}

TEST_CASE("a live frame that is not answered for five seconds is asked about, and none is sent") {
  LiveFixture f;
  f.begin();
  f.frames(50);
  REQUIRE(f.sent<Ask>().size() == 1);
  CHECK(f.sent<Ask>()[0].tasks == std::vector<TaskId>{f.id(0)});
  CHECK(f.submitted().empty());
  CHECK(f.submission.stats().held_bytes == 1000);  // of the newest
  f.receive(Known{0, {}, {f.id(0)}});
  CHECK(f.submitted() == Sequences{50, 0});
  CHECK(f.said_gone() == Sequences{0});
  f.lose(0);
  CHECK(f.settled(Status::lost) == 1);
}

TEST_CASE("what an earlier run did is not asked about for live sources") {
  LiveFixture f(3, 1, {.ask_first = true});
  f.begin();
  CHECK(f.sent<Ask>().empty());
}

TEST_CASE("a live source without a pace is read as fast as its frames are accepted") {
  LiveFixture f(3, 1, {}, Duration::zero());
  f.tick();
  f.serve();
  CHECK(f.reads.empty());
  f.begin();
  CHECK(f.reads.size() == 1);
  f.admit(0);
  f.serve();
  CHECK(f.submitted() == Sequences{1});
  f.receive(Busy{{f.id(1)}, Reason::backlog_tasks, 100ms});
  f.serve();
  CHECK(f.reads.size() == 2);
  CHECK(f.skipped() == 0);
}

TEST_CASE("every camera gets its turn where the grant is smaller than their number") {
  LiveFixture f(1000, 3);
  f.grant_tasks = 1;
  f.come_up();
  f.serve();
  std::vector<std::uint64_t> order;
  for (int i = 0; i < 6; ++i) {
    const auto submits = f.sent<Submit>();
    REQUIRE(submits.size() == 1);
    const auto id = submits[0].tasks.at(0).id;
    order.push_back(id.source);
    f.frames(1);  // each has a newest one
    f.effects.clear();
    f.receive(Admitted{{{id, false}}});
  }
  CHECK(order == std::vector<std::uint64_t>{1, 2, 3, 1, 2, 3});
}

TEST_CASE("a large live frame gets its room before more batch tasks take it") {
  SubmissionFixture f({{.pictures = 10, .bytes = 100}, LiveFixture::camera(1)}, {}, kPace);
  f.sources[1].bytes = 5000;
  f.grant_bytes = 5000;
  f.come_up();
  f.serve();
  f.now += kPace;
  f.receive(Heartbeat{7, {}});
  f.serve();
  const auto before = f.sent<Submit>();
  REQUIRE(before.size() == 1);
  CHECK(before[0].tasks.at(0).id == f.id(0, 0));
  f.effects.clear();
  f.admit(0);
  const auto after = f.sent<Submit>();
  REQUIRE(after.size() == 1);
  CHECK(after[0].tasks.at(0).id == f.id(0, 1));
}

TEST_CASE("sources with a pace are all listed, however many they are") {
  LiveFixture f(1000, 100);
  f.come_up();
  f.serve();
  CHECK(f.reads.size() == 100);
}

TEST_CASE("a live frame that is too large for the broker is rejected here, and the next one goes") {
  LiveFixture f;
  f.tick();
  f.receive(Welcome{.incarnation = 7,
                    .heartbeat_interval = 500ms,
                    .peer_timeout = 2500ms,
                    .grant_tasks = 10,
                    .grant_bytes = 100'000,
                    .payload_bytes_max = 1000});
  f.sources[0].bytes = 1001;
  f.serve();
  CHECK(f.submitted().empty());
  CHECK(f.submission.stats().rejected == 1);
  f.frames(69);
  CHECK(f.submission.stats().rejected == 70);
  f.sources[0].bytes = 1000;
  f.frames(1);
  CHECK(f.submitted() == Sequences{70});
}

TEST_CASE("a camera that drains skips what it holds and waits for what is submitted") {
  LiveFixture f(2);  // all of it is read
  f.begin();
  f.frames(2);
  f.submission.drain(f.now, f.effects);
  CHECK(f.skipped() == 1);
  CHECK(f.released() == 1);
  CHECK(f.sent<Goodbye>().empty());
  SECTION("until it is settled") { f.settle(0); }
  SECTION("until it is answered busy") {
    f.receive(Busy{{f.id(0)}, Reason::draining, 1s});
    CHECK(f.skipped() == 2);
  }
  CHECK(f.sent<Goodbye>().size() == 1);
  CHECK(f.submission.stats().held_bytes == 0);
  CHECK_FALSE(f.submission.complete());
}

TEST_CASE("a last frame that a draining camera is told busy about is left undone") {
  LiveFixture f(1);
  f.begin();
  f.submission.drain(f.now, f.effects);
  f.receive(Busy{{f.id(0)}, Reason::draining, 1s});
  CHECK(f.skipped() == 1);
  CHECK_FALSE(f.submission.complete());
}

TEST_CASE("a frame that comes during a drain is skipped") {
  LiveFixture f;
  f.come_up();
  f.list(f.all<ListSequences>().at(0));
  REQUIRE(f.all<ReadPicture>().size() == 1);
  f.submission.drain(f.now, f.effects);
  f.read({0, 0});
  CHECK(f.skipped() == 1);
  CHECK(f.released() == 1);
  CHECK(f.sent<Goodbye>().size() == 1);
}
