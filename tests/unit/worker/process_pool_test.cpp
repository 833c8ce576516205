// A pool of real child processes: of framefleet-worker, and of a program whose children are odd.

#include "worker/pool/process_pool.hpp"

#include "tests/support/catch.hpp"
#include "worker/decoding/encoder.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace framefleet::worker {
namespace {

using namespace std::chrono_literals;

const std::string kWorker = std::string(FRAMEFLEET_BINARY_DIR) + "/framefleet-worker";
const std::string kOdd = FRAMEFLEET_ODD_CHILD;

std::unique_ptr<ProcessPool> open_pool(const PoolOptions& options,
                                       const std::string& program = kWorker) {
  IsolationOptions isolation;
  isolation.program = program;
  isolation.memory_max = std::uint64_t{256} << 20U;
  isolation.detectors = {"stub", "faces", "people", "edges", "corners", "markers"};
  auto pool = ProcessPool::open(options, isolation);
  REQUIRE(pool.has_value());
  return std::move(*pool);
}

std::unique_ptr<ProcessPool> open_pool(std::size_t slots, const std::string& program = kWorker,
                                       Duration detect_timeout = 60s) {
  PoolOptions options;
  options.slots = slots;
  options.detect_timeout = detect_timeout;
  return open_pool(options, program);
}

/// A minute at most: a test that hangs should fail, not hang.
bool wait_for_news(const Pool& pool) {
  pollfd bell{pool.notify_fd(), POLLIN, 0};
  return ::poll(&bell, 1, 60'000) == 1;
}

std::vector<WorkDone> take(Pool& pool, std::size_t count) {
  std::vector<WorkDone> all;
  while (all.size() < count && wait_for_news(pool)) {
    for (auto& done : pool.take_done()) all.push_back(std::move(done));
  }
  return all;
}

const std::string& small_picture() {
  static const std::string kPicture = [] {
    const std::vector<std::uint8_t> pixels(30 * 20, 90);
    return *JpegEncoder().encode({pixels.data(), 30, 20, 1, 30}, 90);
  }();
  return kPicture;
}

WorkOrder order(std::uint64_t ticket, const std::string& detector, const std::string& origin = "") {
  WorkOrder made;
  made.ticket = ticket;
  made.id = {7, 1, ticket, 0};
  made.task.detect = {detector};
  made.task.origin = origin;
  made.frames = {std::as_bytes(std::span(small_picture()))};
  return made;
}

WorkDone run(Pool& pool, const WorkOrder& what) {
  REQUIRE(pool.start(what));
  auto done = take(pool, 1);
  REQUIRE(done.size() == 1);
  return std::move(done[0]);
}

/// What an odd child's order ends with, and that the next one finds a child again.
WorkError end_of_odd(const std::string& deed) {
  const auto pool = open_pool(1, kOdd);
  const auto done = run(*pool, order(1, "stub", deed));
  REQUIRE_FALSE(done.result.has_value());
  CHECK(run(*pool, order(2, "stub", "open")).result.error().text == "refused");
  return done.result.error();
}

std::set<pid_t> children_of(pid_t parent) {
  std::set<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      continue;
    }
    std::ifstream file(entry.path() / "stat");
    const std::string stat(std::istreambuf_iterator<char>(file), {});
    const auto after_name = stat.rfind(')');
    if (after_name == std::string::npos) continue;
    if (std::stol(stat.substr(after_name + 4)) == parent) found.insert(std::stoi(name));
  }
  return found;
}

std::size_t open_files() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

TEST_CASE("a picture that a child worked on comes back as from a thread") {
  const auto pool = open_pool(1);
  auto what = order(3, "stub");
  what.task.annotate = true;
  const auto done = run(*pool, what);
  CHECK(done.ticket == 3);
  CHECK(done.id == what.id);
  REQUIRE(done.result.has_value());
  const auto& record = done.result->record;
  CHECK(record.width == 30);
  CHECK(record.reports.at(0).detections.at(0).extra == R"({"sequence":3,"attempt":1})");
  REQUIRE(done.result->artefacts.size() == 1);
  CHECK(done.result->artefacts[0].substr(0, 2) == "\xFF\xD8");
  CHECK(pool->in_use() == 0);
}

TEST_CASE("a child refuses what is no picture with the words of the image gate") {
  const auto pool = open_pool(1);
  auto what = order(1, "stub");
  const std::string text = "not a picture";
  what.frames = {std::as_bytes(std::span(text))};
  CHECK(run(*pool, what).result.error().reason == Reason::not_a_picture);
  what.frames = {};
  CHECK(run(*pool, what).result.error().reason == Reason::empty_picture);
  CHECK(pool->stats().ends.empty());
}

TEST_CASE("a warm detector with other options works in the sandbox, and nothing is denied") {
  const auto pool = open_pool(1);
  for (const std::string detector :
       {"faces?cascade=lbp", "faces?cascade=alt_tree", "faces?min_size=40", "people", "edges",
        "corners", "markers"}) {
    INFO(detector);
    const auto done = run(*pool, order(1, detector));
    if (!done.result) FAIL_CHECK(done.result.error().text);
  }
  CHECK(pool->stats().denied_syscalls == 0);
}

TEST_CASE("a model's file is read before the sandbox, and its picture may be a smaller one") {
  PoolOptions options;
  options.workbench.detectors.models = {
      {"mine", "faces", "/usr/share/opencv4/lbpcascades/lbpcascade_frontalface.xml",
       DecodeScale::half}};
  const auto pool = open_pool(options);
  const auto done = run(*pool, order(1, "faces?cascade=mine"));
  REQUIRE(done.result.has_value());
  CHECK(done.result->record.width == 30);
  CHECK(done.result->record.reports.at(0).version.ends_with("+scale1/2"));
  CHECK(pool->stats().denied_syscalls == 0);
}

TEST_CASE("a crash costs its own order and its child, and no other") {
  const auto pool = open_pool(2);
  REQUIRE(pool->start(order(1, "stub?crash=1")));
  REQUIRE(pool->start(order(2, "stub?sleep=50ms")));
  for (const auto& done : take(*pool, 2)) {
    CHECK(done.result.has_value() == (done.ticket == 2));
    if (done.ticket == 2) continue;
    CHECK(done.result.error().reason == Reason::child_crashed);
    CHECK(done.result.error().text ==
          "signal 6 (Aborted) ended the child process during detect (detector \"stub\")");
  }
  CHECK(run(*pool, order(3, "stub")).result.has_value());
  CHECK(pool->stats().ends.at("crashed") == 1);
}

TEST_CASE("a hang is ended at the budget of its stage, by nobody but the pool") {
  const auto pool = open_pool(1, kWorker, 30ms);
  const auto done = run(*pool, order(1, "stub?hang=1"));
  CHECK(done.result.error().reason == Reason::detect_timeout);
  CHECK(done.elapsed > 30ms);
  CHECK_FALSE(done.abandoned);
  CHECK(run(*pool, order(2, "stub")).result.has_value());
  CHECK(pool->stats().ends.at("detect_timeout") == 1);
}

TEST_CASE("a detector that eats memory gets no more than its share, and its child lives on") {
  const auto pool = open_pool(1);
  const auto done = run(*pool, order(1, "stub?eat=1"));
  CHECK(done.result.error().reason == Reason::detector_error);
  CHECK(done.result.error().text == "out of memory while working on the picture");
  CHECK(run(*pool, order(2, "stub")).result.has_value());
  CHECK(pool->stats().ends.empty());
  CHECK(pool->stats().child_memory_peak < std::uint64_t{512} << 20U);
}

TEST_CASE("what an odd child says or does ends its order as child_crashed") {
  const std::map<std::string, std::string> words{
      {"exit", "left with exit code 7"},
      {"socket", "a forbidden system call"},
      {"exec", "a forbidden system call"},
      {"garbage", "a packet that is none of ours"},
      {"no result", "its record: "},
      {"huge result", "larger than its sheet"},
      {"false reason", "a packet that is none of ours"},
      {"gives up", "gave up what was wanted"},
      {"stages", "more stages than its task has"},
      {"sends a file", "killed"},
      {"hang up", "decode"},  // killed, or gone by itself, whichever comes first
  };
  for (const auto& [deed, expected] : words) {
    INFO(deed);
    const auto error = end_of_odd(deed);
    CHECK(error.reason == Reason::child_crashed);
    CHECK_THAT(error.text, Catch::Contains(expected));
  }
}

TEST_CASE("a refused system call fails with an error and is counted") {
  const auto pool = open_pool(1, kOdd);
  CHECK(run(*pool, order(1, "stub", "open")).result.error().text == "refused");
  CHECK(pool->stats().denied_syscalls == 1);
}

TEST_CASE("an abandoned order ends at its next stage, or as soon as its detector asks") {
  const auto pool = open_pool(1);
  REQUIRE(pool->start(order(9, "stub?hang=1")));
  pool->abandon(8);  // no such ticket
  pool->abandon(9);
  const auto done = take(*pool, 1);
  REQUIRE(done.size() == 1);
  CHECK(done[0].abandoned);
  CHECK(pool->stats().ends.empty());
  CHECK(run(*pool, order(10, "stub")).result.has_value());
}

TEST_CASE("a pool takes no more orders than it has slots, until what is done was taken") {
  const auto pool = open_pool(1);
  CHECK(pool->start(order(1, "stub")));
  CHECK_FALSE(pool->start(order(2, "stub")));
  CHECK(take(*pool, 1).size() == 1);
  CHECK(pool->start(order(2, "stub")));
  CHECK(pool->stages().at(0).ticket == 2);
  CHECK_FALSE(pool->stages().at(0).over_budget);
}

TEST_CASE("of a thousand orders one in a hundred fails in its own way, and nothing is left over") {
  const auto files_before = open_files();
  {
    const auto pool = open_pool(2, kWorker, 200ms);
    const auto what = [](std::uint64_t ticket) {
      if (ticket % 100 != 50) return order(ticket, "stub");
      constexpr std::array kFaults{"stub?crash=1", "stub?hang=1", "stub?eat=1"};
      return order(ticket, kFaults[ticket / 100 % kFaults.size()]);
    };
    std::map<Reason, int> failed;
    std::uint64_t next = 0;
    int good = 0;
    for (std::size_t taken = 0; taken < 1000;) {
      while (next < 1000 && pool->start(what(next))) ++next;
      REQUIRE(wait_for_news(*pool));
      for (const auto& done : pool->take_done()) {
        ++taken;
        if (done.result) {
          ++good;
        } else {
          ++failed[done.result.error().reason];
        }
      }
    }
    CHECK(good == 990);
    CHECK(failed[Reason::child_crashed] == 4);
    CHECK(failed[Reason::detect_timeout] >= 3);  // on a busy machine memory is eaten slowly
    CHECK(failed[Reason::detect_timeout] + failed[Reason::detector_error] == 6);
    CHECK(open_files() <= files_before + 3 + 2 * 3);  // epoll, timer, zygote; three of each child
    const auto zygote = children_of(::getpid());
    REQUIRE(zygote.size() == 1);
    CHECK(children_of(*zygote.begin()).size() <= 2);  // the dead are reaped
  }
  CHECK(open_files() == files_before);
  CHECK(children_of(::getpid()).empty());
}

TEST_CASE("when the zygote is killed its orders end and a new one takes its place") {
  const auto pool = open_pool(1);
  CHECK(run(*pool, order(1, "stub")).result.has_value());
  REQUIRE(pool->start(order(2, "stub?hang=1")));
  const auto zygote = children_of(::getpid());
  REQUIRE(zygote.size() == 1);
  REQUIRE(::kill(*zygote.begin(), SIGKILL) == 0);
  CHECK(take(*pool, 1).at(0).result.error().reason == Reason::child_crashed);
  CHECK(run(*pool, order(3, "stub")).result.has_value());
  CHECK(pool->stats().ends.at("zygote_ended") == 1);
}

TEST_CASE("a pool whose owner is killed leaves no process behind") {
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);  // orphans come to us
  const pid_t owner = ::fork();
  if (owner == 0) {
    const auto pool = open_pool(2);
    static_cast<void>(run(*pool, order(1, "stub")));
    static_cast<void>(pool->start(order(2, "stub?hang=1")));
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(owner, &status, 0) == owner);
  CHECK(WTERMSIG(status) == SIGKILL);
  while (::waitpid(-1, &status, 0) > 0) {  // ends when the last of them has
  }
  CHECK(errno == ECHILD);
  CHECK(::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) == 0);
}

}  // namespace
}  // namespace framefleet::worker
