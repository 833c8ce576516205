// Two kinds of real child processes behind one pool, and what each program is linked to.

#include "worker/pool/format_pools.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/worker/bmp_tiff.hpp"
#include "worker/decoding/encoder.hpp"
#include "worker/detectors/self_test.hpp"

#include <poll.h>

#include <array>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace framefleet::worker {
namespace {

const std::string kWorker = std::string(FRAMEFLEET_BINARY_DIR) + "/framefleet-worker";
const std::string kSecond = std::string(FRAMEFLEET_BINARY_DIR) + "/framefleet-worker-imgcodecs";

std::unique_ptr<FormatPools> open_pools(std::size_t slots) {
  PoolOptions options;
  options.slots = slots;
  options.workbench.limits.formats = FormatSet::all();
  IsolationOptions isolation;
  isolation.program = kWorker;
  isolation.detectors = {"stub", "edges"};
  auto pools = FormatPools::open(options, isolation, kSecond);
  REQUIRE(pools.has_value());
  return std::move(*pools);
}

/// A minute at most: a test that hangs should fail, not hang.
std::vector<WorkDone> take(Pool& pool, std::size_t count) {
  std::vector<WorkDone> all;
  pollfd bell{pool.notify_fd(), POLLIN, 0};
  while (all.size() < count && ::poll(&bell, 1, 60'000) == 1) {
    for (auto& done : pool.take_done()) all.push_back(std::move(done));
  }
  return all;
}

const std::string& a_jpeg() {
  static const std::string kPicture = [] {
    const std::vector<std::uint8_t> pixels(30 * 20, 90);
    return *JpegEncoder().encode({pixels.data(), 30, 20, 1, 30}, 90);
  }();
  return kPicture;
}
const std::string kBmp = test::written(test::plain_bmp(8));
const std::string kTiff = test::written(test::tiled_tiff(true));

WorkOrder order(std::uint64_t ticket, const std::string& picture,
                const std::string& detector = "stub") {
  WorkOrder made;
  made.ticket = ticket;
  made.id = {7, 1, ticket, 0};
  made.task.detect = {detector};
  made.frames = {test::bytes_of(picture)};
  return made;
}

Result<Worked, WorkError> run(Pool& pool, const WorkOrder& what) {
  REQUIRE(pool.start(what));
  auto done = take(pool, 1);
  REQUIRE(done.size() == 1);
  CHECK(done[0].ticket == what.ticket);
  return std::move(done[0].result);
}

/// What the loader says that it would load for a program.
std::string libraries_of(const std::string& program) {
  const std::string command = "LD_TRACE_LOADED_OBJECTS=1 '" + program + "'";
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 4096> room{};
  while (const auto count = std::fread(room.data(), 1, room.size(), pipe)) {
    text.append(room.data(), count);
  }
  CHECK(::pclose(pipe) == 0);
  return text;
}

TEST_CASE("imgcodecs is loaded by the second program and not by the worker") {
  CHECK_THAT(libraries_of(kSecond), Catch::Contains("libopencv_imgcodecs"));
  CHECK_THAT(libraries_of(kWorker), Catch::Contains("libopencv_core"));
  CHECK_THAT(libraries_of(kWorker), !Catch::Contains("libopencv_imgcodecs"));
}

TEST_CASE("pictures of all formats are worked on, and nothing is denied to a child") {
  const auto pools = open_pools(1);
  for (const auto& picture : {a_jpeg(), kBmp, kTiff, kBmp, a_jpeg()}) {
    auto what = order(1, picture, "edges");
    what.task.annotate = true;
    const auto worked = run(*pools, what);
    if (!worked) FAIL_CHECK(worked.error().text);
    if (worked) CHECK(worked->record.width == (picture == a_jpeg() ? 30 : test::kSeedWidth));
  }
  CHECK(pools->stats().denied_syscalls == 0);
  CHECK(pools->stats().ends.empty());
}

TEST_CASE("the self-test of every format is worked on in its kind of child, and passed") {
  const auto pools = open_pools(1);
  for (const auto& test : self_tests_of({}, FormatSet::all())) {
    INFO(test.name());
    const auto frames = test.frames();
    WorkOrder what;
    what.task = test.task();
    what.frames = {test::bytes_of(frames.at(0))};
    const auto worked = run(*pools, what);
    if (!worked) FAIL_CHECK(worked.error().text);
    if (worked) CHECK(test.fault_of(*worked) == "");
  }
}

TEST_CASE("the formats of a task's second picture count too") {
  const auto pools = open_pools(1);
  for (const auto& [first, second] : {std::pair{a_jpeg(), kBmp}, std::pair{kTiff, a_jpeg()}}) {
    auto what = order(1, first, "blend");
    what.frames.push_back(test::bytes_of(second));
    const auto worked = run(*pools, what);
    if (!worked) FAIL_CHECK(worked.error().text);
  }
}

TEST_CASE("both kinds share the slots, and an order of either can be abandoned") {
  const auto pools = open_pools(2);
  CHECK(pools->slots() == 2);
  REQUIRE(pools->start(order(1, a_jpeg(), "stub?hang=1")));
  REQUIRE(pools->start(order(2, kBmp, "stub?hang=1")));
  CHECK(pools->in_use() == 2);
  CHECK(pools->stages().size() == 2);
  CHECK_FALSE(pools->start(order(3, a_jpeg())));
  CHECK_FALSE(pools->start(order(3, kBmp)));
  for (const std::uint64_t ticket : {1U, 2U}) {
    pools->abandon(ticket);
    const auto done = take(*pools, 1);
    REQUIRE(done.size() == 1);
    CHECK(done[0].ticket == ticket);
    CHECK(done[0].abandoned);
  }
  CHECK(pools->in_use() == 0);
}

TEST_CASE("a crash of either kind costs its own child, and the sums say so") {
  const auto pools = open_pools(1);
  for (const auto& picture : {a_jpeg(), kTiff}) {
    CHECK(run(*pools, order(1, picture, "stub?crash=1")).error().reason == Reason::child_crashed);
  }
  CHECK(run(*pools, order(2, a_jpeg())).has_value());
  CHECK(run(*pools, order(3, kTiff)).has_value());
  CHECK(pools->stats().ends.at("crashed") == 2);
  CHECK(pools->stats().children == 2);
  CHECK(pools->stats().child_memory_peak > 0);
}

TEST_CASE("without a second program there are no pools") {
  IsolationOptions isolation;
  isolation.program = kWorker;
  const auto pools = FormatPools::open({}, isolation, "/nonexistent/framefleet-worker-imgcodecs");
  REQUIRE_FALSE(pools.has_value());
  CHECK_THAT(pools.error().text, Catch::Contains("/nonexistent/framefleet-worker-imgcodecs"));
}

TEST_CASE("the memory of two pools is the mean of the children that were looked at, not of all") {
  PoolStats first;
  first.children = 4;
  first.measured = 1;
  first.child_memory = 100;
  first.zygote_ends["ended"] = 2;
  PoolStats second;
  second.children = 1;
  second.measured = 3;
  second.child_memory = 20;
  second.child_memory_peak = 500;
  second.zygote_ends["ended"] = 1;
  const auto both = together(first, second);
  CHECK(both.children == 5);
  CHECK(both.child_memory == 40);
  CHECK(both.child_memory_peak == 500);
  CHECK(both.zygote_ends.at("ended") == 3);
  CHECK(together({}, {}).child_memory == 0);
}

}  // namespace
}  // namespace framefleet::worker
