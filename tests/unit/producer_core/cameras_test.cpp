#include "tests/support/catch.hpp"
#include "tests/unit/producer_core/submission_fixture.hpp"

using namespace framefleet;
using namespace framefleet::producer;
using namespace std::chrono_literals;

namespace {

/// A core whose cameras the test plays: `frame` gives one if the core wants it.
struct Cameras : SubmissionFixture {
  Cameras() : SubmissionFixture({}, {}) {}

  std::size_t add(const std::string& name, std::uint64_t hash, std::uint32_t epoch = 1,
                  TaskClass task_class = TaskClass::live) {
    return submission.add_camera({.name = name, .epoch = epoch, .weight = 2, .hash = hash},
                                 task_class);
  }
  TaskId id_of(std::uint64_t hash, std::uint64_t sequence, std::uint32_t epoch = 1) const {
    return {hash, epoch, sequence, 0};
  }
  bool frame(std::size_t camera, TaskId id, TaskClass task_class = TaskClass::live) {
    if (!submission.wants_frame(camera, now)) return false;
    SubmittedTask task;
    task.id = id;
    task.task = "description";
    task.task_class = task_class;
    task.payload = {PayloadId{++payloads}, 1, 1000};
    submission.picture({camera, id.sequence}, std::move(task), now, effects);
    return true;
  }
  std::vector<TaskId> submitted() const {
    std::vector<TaskId> ids;
    for (const auto& submit : sent<Submit>()) {
      for (const auto& task : submit.tasks) ids.push_back(task.id);
    }
    return ids;
  }
  std::vector<std::string> names_told() const {
    std::vector<std::string> names;
    const auto told = sent<Sources>();
    if (told.empty()) return {"nothing"};
    for (const auto& claim : told.back().sources) names.push_back(claim.name);
    return names;
  }
  /// The broker answers the last `sources`.
  void claim() { receive(Claimed{sent<Sources>().back().number}); }
  void end(TaskId id) { receive(Settled{{{id, Status::ok, Reason::none, ""}}}); }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("cameras are in the hello, and submit once the broker has them", "[cameras]") {
  Cameras f;
  const auto a = f.add("a", 1);
  f.tick();
  REQUIRE(f.sent<Hello>().size() == 1);
  CHECK(f.sent<Hello>()[0].sources ==
        std::vector{SourceClaim{.name = "a", .epoch = 1, .weight = 2, .hash = 1}});
  CHECK_FALSE(f.submission.wants_frame(a, f.now));
  f.welcome();
  CHECK_FALSE(f.frame(a, f.id_of(1, 0)));
  f.claim();
  CHECK(f.frame(a, f.id_of(1, 0)));
  CHECK(f.submitted() == std::vector{f.id_of(1, 0)});
  // Nothing to do is no reason to leave.
  CHECK(f.sent<Goodbye>().empty());
  CHECK_FALSE(f.submission.complete());
}

TEST_CASE("a camera has one frame unanswered, and the next is its newest then", "[cameras]") {
  Cameras f;
  const auto a = f.add("a", 1);
  f.come_up();
  f.claim();
  CHECK(f.frame(a, f.id_of(1, 0)));
  CHECK_FALSE(f.frame(a, f.id_of(1, 1)));
  f.receive(Admitted{{{f.id_of(1, 0), false}}});
  CHECK(f.frame(a, f.id_of(1, 1)));
  // Busy: the frame is let go, and the newest is taken when the pause is over.
  f.receive(Busy{{f.id_of(1, 1)}, Reason::backlog_tasks, 100ms});
  CHECK(f.submission.stats().skipped == 1);
  CHECK_FALSE(f.frame(a, f.id_of(1, 2)));
  CHECK(f.submission.next_deadline() <= f.now + 100ms);
  f.now += 100ms;
  f.tick();
  CHECK(f.frame(a, f.id_of(1, 2)));
  CHECK(f.submitted() == std::vector{f.id_of(1, 0), f.id_of(1, 1), f.id_of(1, 2)});
  CHECK(f.submission.stats().held_bytes == 1000);
}

TEST_CASE("a camera that comes later is told, and does not disturb the others", "[cameras]") {
  Cameras f;
  const auto a = f.add("a", 1);
  f.come_up();
  f.claim();
  f.effects.clear();
  const auto b = f.add("b", 2);
  f.tick();
  CHECK(f.names_told() == Names{"a", "b"});
  CHECK(f.frame(a, f.id_of(1, 0)));
  CHECK_FALSE(f.frame(b, f.id_of(2, 0)));
  // Asked again if it is lost, and what changes meanwhile goes with that.
  f.effects.clear();
  f.add("c", 3);
  f.tick();
  CHECK(f.names_told() == Names{"nothing"});
  CHECK(f.submission.next_deadline() <= f.now + 1s);
  f.now += 1s;
  f.tick();
  CHECK(f.names_told() == Names{"a", "b", "c"});
  f.claim();
  CHECK(f.frame(b, f.id_of(2, 0)));
}

TEST_CASE("a removed camera submits no more and is ours until its frames have ended", "[cameras]") {
  Cameras f;
  const auto a = f.add("a", 1);
  const auto b = f.add("b", 2);
  f.come_up();
  f.claim();
  REQUIRE(f.frame(a, f.id_of(1, 0)));
  f.receive(Admitted{{{f.id_of(1, 0), false}}});
  REQUIRE(f.frame(a, f.id_of(1, 1)));
  f.submission.remove_camera(a, f.effects);
  f.tick();
  CHECK(f.names_told() == Names{"a", "b"});
  f.claim();
  CHECK_FALSE(f.frame(a, f.id_of(1, 2)));
  // Its number stays its own: another camera gets another one.
  const auto c = f.add("c", 3);
  CHECK(c != a);
  CHECK(c != b);
  f.receive(Busy{{f.id_of(1, 1)}, Reason::backlog_tasks, 100ms});
  f.end(f.id_of(1, 0));
  REQUIRE(f.all<TaskEnded>().size() == 1);
  CHECK(f.all<TaskEnded>()[0].ref == PictureRef{a, 0});
  CHECK(f.names_told() == Names{"a", "b", "c"});  // as told before that
  f.claim();
  f.tick();
  CHECK(f.names_told() == Names{"b", "c"});
  f.claim();
  CHECK(f.add("d", 4) == a);
  CHECK(f.submission.stats().in_flight == 0);
}

TEST_CASE("a camera that comes back under its name is one source, with the later epoch",
          "[cameras]") {
  Cameras f;
  const auto a = f.add("a", 1, 5);
  f.come_up();
  f.claim();
  REQUIRE(f.frame(a, f.id_of(1, 0, 5)));
  f.receive(Admitted{{{f.id_of(1, 0, 5), false}}});
  f.submission.remove_camera(a, f.effects);
  const auto again = f.add("a", 1, 6);
  CHECK(again != a);
  f.claim();
  f.tick();
  CHECK(f.names_told() == Names{"a"});
  CHECK(f.sent<Sources>().back().sources[0].epoch == 6);
  f.claim();
  // Both have a frame 0, and each ends as its own.
  REQUIRE(f.frame(again, f.id_of(1, 0, 6)));
  f.end(f.id_of(1, 0, 6));
  f.end(f.id_of(1, 0, 5));
  REQUIRE(f.all<TaskEnded>().size() == 2);
  CHECK(f.all<TaskEnded>()[0].ref == PictureRef{again, 0});
  CHECK(f.all<TaskEnded>()[1].ref == PictureRef{a, 0});
}

TEST_CASE("the only camera can be another one from now on", "[cameras]") {
  Cameras f;
  const auto a = f.add("a", 1, 5);
  f.come_up();
  f.claim();
  f.submission.remove_camera(a, f.effects);
  f.add("a", 1, 6);
  f.tick();
  CHECK(f.sent<Goodbye>().empty());
  f.claim();
  f.tick();
  CHECK(f.frame(1, f.id_of(1, 0, 6)));
}

TEST_CASE("after a new connection the hello has what is there now", "[cameras]") {
  Cameras f;
  const auto a = f.add("a", 1);
  const auto b = f.add("b", 2);
  f.come_up();
  f.claim();
  f.submission.set_condition(b, {"stalled", "no frame for 5 s", f.now});
  f.submission.remove_camera(a, f.effects);
  f.receive(Goodbye{});
  f.now += 300ms;
  f.effects.clear();
  f.tick();
  REQUIRE(f.sent<Hello>().size() == 1);
  REQUIRE(f.sent<Hello>()[0].sources.size() == 1);
  const auto told = f.sent<Hello>()[0].sources[0];
  CHECK(told.name == "b");
  CHECK(told.state == "stalled");
  CHECK(told.state_text == "no frame for 5 s");
  CHECK(told.state_for == 300ms);
  f.welcome(8);
  CHECK(f.frame(b, f.id_of(2, 0)));
}

TEST_CASE("a frame that the fleet forgot is gone, also of a batch camera", "[cameras]") {
  Cameras f;
  const auto a = f.add("a", 1, 1, TaskClass::batch);
  f.come_up();
  f.claim();
  REQUIRE(f.frame(a, f.id_of(1, 0), TaskClass::batch));
  REQUIRE(f.frame(a, f.id_of(1, 1), TaskClass::batch));
  f.receive(Busy{{f.id_of(1, 1)}, Reason::backlog_tasks, 100ms});
  CHECK_FALSE(f.frame(a, f.id_of(1, 2), TaskClass::batch));  // one waits already
  f.receive(Admitted{{{f.id_of(1, 0), false}}});
  f.reconnect(8);
  f.receive(Known{0, {}, {f.id_of(1, 0)}});
  CHECK(f.said_gone() == std::vector<std::uint64_t>{0});
}

TEST_CASE("an operator's wish to reload is the shell's to carry out", "[cameras]") {
  Cameras f;
  f.add("a", 1);
  f.come_up();
  f.receive(Control{.asker = 9, .verb = ControlVerb::reload_sources});
  CHECK(f.all<ReloadAsked>() == std::vector{ReloadAsked{9}});
}

TEST_CASE("a drain waits for the frames of cameras and takes no more", "[cameras]") {
  Cameras f;
  const auto a = f.add("a", 1);
  f.come_up();
  f.claim();
  REQUIRE(f.frame(a, f.id_of(1, 0)));
  f.receive(Admitted{{{f.id_of(1, 0), false}}});
  f.submission.drain(f.now, f.effects);
  CHECK_FALSE(f.frame(a, f.id_of(1, 1)));
  CHECK(f.sent<Goodbye>().empty());
  f.end(f.id_of(1, 0));
  CHECK(f.sent<Goodbye>().size() == 1);
}
