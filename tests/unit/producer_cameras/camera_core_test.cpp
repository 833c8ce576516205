#include "producer/cameras/camera_core.hpp"

#include "tests/support/catch.hpp"

#include <chrono>
#include <set>

namespace framefleet::producer {
namespace {

using namespace std::chrono_literals;

constexpr Time kStart = Time{} + 1h;

CameraCoreOptions options() { return {5s, 10s, 1s, 30s, 7}; }

/// A camera in virtual time; every call answers what it made the core do.
struct Bench {
  CameraCore core{options(), kStart};
  Time now{kStart};

  CameraEffects tick() {
    CameraEffects out;
    core.tick(now, out);
    return out;
  }
  CameraEffects frame() {
    CameraEffects out;
    core.frame(now, out);
    return out;
  }
  CameraEffects gone(std::string reason = "gone") {
    CameraEffects out;
    core.capture_gone(std::move(reason), now, out);
    return out;
  }
  /// Lets time pass to the next deadline, and answers what is done there.
  CameraEffects wait() {
    REQUIRE(core.next_deadline() != kNever);
    now = std::max(now, core.next_deadline());
    return tick();
  }
  void stream() {
    wait();
    frame();
    REQUIRE(core.state() == CameraState::streaming);
  }
};

template <class T>
const T* find(const CameraEffects& effects) {
  for (const auto& effect : effects) {
    if (const auto* found = std::get_if<T>(&effect)) return found;
  }
  return nullptr;
}

TEST_CASE("a camera is opened at once and streams from its first frame on") {
  Bench bench;
  CHECK(bench.tick() == CameraEffects{StartCapture{}});
  CHECK(bench.core.state() == CameraState::connecting);
  CHECK(bench.frame() ==
        CameraEffects{StateChanged{CameraState::connecting, CameraState::streaming, ""}});
  CHECK(bench.frame().empty());
  CHECK(bench.core.next_deadline() == kStart + 5s);
}

TEST_CASE("a camera that falls silent is stalled, its process is replaced, and it streams again") {
  Bench bench;
  bench.stream();
  bench.now += 3s;
  bench.frame();
  bench.now += 5s - 1ns;
  CHECK(bench.tick().empty());
  bench.now += 1ns;
  CHECK(bench.tick() == CameraEffects{StateChanged{CameraState::streaming, CameraState::stalled,
                                                   "no frame for 5 s"},
                                      KillCapture{}});
  CHECK(bench.tick().empty());  // until the process is known to be gone
  CHECK(bench.core.next_deadline() == kNever);
  const auto after = bench.gone("ended by Killed");
  REQUIRE(after.size() == 1);
  CHECK(std::get<RetryPlanned>(after[0]).reason == "no frame for 5 s");
  CHECK(bench.core.state() == CameraState::stalled);
  CHECK(bench.wait() == CameraEffects{StateChanged{CameraState::stalled, CameraState::connecting,
                                                   "no frame for 5 s"},
                                      StartCapture{}});
  CHECK(find<StateChanged>(bench.frame())->to == CameraState::streaming);
  CHECK(bench.core.reason().empty());
}

TEST_CASE("a process that shows no frame is given up after open_timeout") {
  Bench bench;
  bench.tick();
  CHECK(bench.core.next_deadline() == kStart + 10s);
  CHECK(bench.wait() == CameraEffects{KillCapture{}});
  const auto after = bench.gone();
  CHECK(find<RetryPlanned>(after)->reason == "no frame within 10 s");
  CHECK(bench.core.state() == CameraState::connecting);
}

TEST_CASE("a frame that comes after a process was given up changes nothing") {
  Bench bench;
  bench.tick();
  bench.wait();
  CHECK(bench.frame().empty());
  CHECK(bench.core.next_deadline() == kNever);
}

TEST_CASE("pauses double to retry_max, less up to half of them") {
  Bench bench;
  Duration whole = 1s;
  for (int i = 0; i < 12; ++i) {
    bench.wait();
    const auto after = bench.gone();
    const auto* retry = find<RetryPlanned>(after);
    REQUIRE(retry != nullptr);
    CHECK(retry->failures == static_cast<std::uint32_t>(i + 1));
    CHECK(retry->pause <= whole);
    CHECK(retry->pause >= whole / 2);
    CHECK(bench.core.next_deadline() == bench.now + retry->pause);
    whole = std::min<Duration>(2 * whole, 30s);
  }
}

TEST_CASE("cameras that went together do not come back together") {
  std::set<Duration> pauses;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto told = options();
    told.jitter_seed = seed;
    CameraCore core(told, kStart);
    CameraEffects out;
    core.tick(kStart, out);
    core.capture_gone("gone", kStart, out);
    pauses.insert(core.next_deadline() - kStart);
  }
  CHECK(pauses.size() == 20);
}

TEST_CASE("pauses begin again only once the camera has streamed for a while") {
  Bench bench;
  for (int i = 0; i < 6; ++i) {
    bench.wait();
    bench.gone();
  }
  SECTION("a few frames are not enough") {
    bench.stream();
    bench.now += 2s;
    const auto after = bench.gone();
    CHECK(find<RetryPlanned>(after)->failures == 7);
  }
  SECTION("a break in a steady stream is a first failure") {
    bench.stream();
    bench.now += kSteadyAfter;
    const auto after = bench.gone();
    CHECK(find<RetryPlanned>(after)->failures == 1);
    CHECK(find<RetryPlanned>(after)->pause <= 1s);
  }
  SECTION("a stall after a steady stream too") {
    bench.stream();
    for (int i = 0; i < 4; ++i) {
      bench.now += 4s;
      bench.frame();
    }
    bench.wait();
    const auto after = bench.gone();
    CHECK(find<RetryPlanned>(after)->failures == 1);
  }
}

TEST_CASE("a stream that breaks off is connecting, for the reason that its process gave") {
  Bench bench;
  bench.stream();
  bench.core.capture_ends(CaptureEnd::passing, "the camera has ended the stream");
  CHECK(bench.core.state() == CameraState::streaming);
  const auto after = bench.gone("exit code 0");
  CHECK(*find<StateChanged>(after) == StateChanged{CameraState::streaming, CameraState::connecting,
                                                   "the camera has ended the stream"});
}

TEST_CASE("a camera that refuses is failed, tried slowly, and streams once it does not refuse") {
  Bench bench;
  bench.tick();
  bench.core.capture_ends(CaptureEnd::refused, "401");
  auto after = bench.gone();
  CHECK(*find<StateChanged>(after) ==
        StateChanged{CameraState::connecting, CameraState::failed, "401"});
  CHECK(find<RetryPlanned>(after)->pause >= 15s);
  // The next try changes no state, nor does the same refusal.
  CHECK(bench.wait() == CameraEffects{StartCapture{}});
  CHECK(bench.core.state() == CameraState::failed);
  bench.core.capture_ends(CaptureEnd::refused, "401");
  after = bench.gone();
  CHECK(find<StateChanged>(after) == nullptr);
  bench.wait();
  CHECK(*find<StateChanged>(bench.frame()) ==
        StateChanged{CameraState::failed, CameraState::streaming, ""});
}

TEST_CASE("a failed camera that cannot be reached is connecting") {
  Bench bench;
  bench.tick();
  bench.core.capture_ends(CaptureEnd::refused, "404");
  bench.gone();
  bench.wait();
  bench.core.capture_ends(CaptureEnd::passing, "no route");
  const auto after = bench.gone();
  CHECK(*find<StateChanged>(after) ==
        StateChanged{CameraState::failed, CameraState::connecting, "no route"});
}

TEST_CASE("a file that is over ends its camera for good") {
  Bench bench;
  bench.stream();
  bench.core.capture_ends(CaptureEnd::finished, "over");
  CHECK(bench.gone() ==
        CameraEffects{StateChanged{CameraState::streaming, CameraState::ended, "over"}});
  CHECK(bench.core.next_deadline() == kNever);
  bench.now += 24h;
  CHECK(bench.tick().empty());
  CHECK(bench.frame().empty());
}

TEST_CASE("a process that cannot be started is a try that failed") {
  Bench bench;
  bench.tick();
  const auto after = bench.gone("cannot start");
  CHECK(find<RetryPlanned>(after)->reason == "cannot start");
  CHECK(bench.core.reason() == "cannot start");
}

}  // namespace
}  // namespace framefleet::producer
