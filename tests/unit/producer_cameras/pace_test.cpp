#include "producer/capture/frame_rate.hpp"
#include "producer/capture/live_edge.hpp"
#include "tests/support/catch.hpp"

#include <chrono>

namespace framefleet::producer {
namespace {

using namespace std::chrono_literals;

constexpr Time kStart = Time{} + 1h;

/// How many of a minute's pictures are due, of a camera that gives one every `interval`.
int due_in_a_minute(double fps, Duration interval, Duration jitter = {}) {
  FrameRate rate(fps);
  int due = 0;
  int i = 0;
  for (Time at = kStart; at < kStart + 60s; at += interval, ++i) {
    due += rate.due(at + (i % 2 == 0 ? jitter : -jitter)) ? 1 : 0;
  }
  return due;
}

TEST_CASE("every picture is due where no rate is asked for") {
  CHECK(due_in_a_minute(0, 40ms) == 1500);
}

TEST_CASE(
    "as many pictures are due as were asked for, also where the camera's rate is no multiple") {
  CHECK(due_in_a_minute(10, 40ms) == Approx(600).margin(2));
  CHECK(due_in_a_minute(7, 33ms) == Approx(420).margin(2));
  CHECK(due_in_a_minute(0.5, 40ms) == Approx(30).margin(1));
}

TEST_CASE("a camera at just the rate asked for loses nothing to jitter") {
  CHECK(due_in_a_minute(25, 40ms, 8ms) == 1500);
}

TEST_CASE("a camera that is slower than asked for gives all it has") {
  CHECK(due_in_a_minute(25, 100ms) == 600);
}

TEST_CASE("a pause is not made up for by a burst") {
  FrameRate rate(10);
  CHECK(rate.due(kStart));
  int due = 0;
  for (Time at = kStart + 60s; at < kStart + 61s; at += 10ms) due += rate.due(at) ? 1 : 0;
  CHECK(due <= 12);
}

/// A stream of 25 pictures a second with a key frame every second.
struct Stream {
  LiveEdge edge;
  Duration stamp{10min};
  int number{0};
  /// The next packet, read at `at`.
  bool read(Time at, bool waited) {
    stamp += 40ms;
    return edge.wanted(stamp, at, waited, number++ % 25 == 0);
  }
};

TEST_CASE("at the live edge every packet is decoded") {
  Stream stream;
  Time at = kStart;
  for (int i = 0; i < 1000; ++i) CHECK(stream.read(at += 40ms, true));
}

TEST_CASE("a reader that was held up drops what has piled up, from a key frame to a key frame") {
  Stream stream;
  Time at = kStart;
  for (int i = 0; i < 50; ++i) stream.read(at += 40ms, true);
  at += 5s;  // held up
  int decoded = 0;
  for (int i = 0; i < 125; ++i) decoded += stream.read(at += 1ms, false) ? 1 : 0;
  CHECK(decoded <= 6);
  // At the edge again, at the next key frame.
  int wanted = 0;
  for (int i = 0; i < 100; ++i) wanted += stream.read(at += 40ms, true) ? 1 : 0;
  CHECK(wanted >= 75);
}

TEST_CASE("a reader that was held up while it waited has fallen behind all the same") {
  Stream stream;
  Time at = kStart;
  for (int i = 0; i < 50; ++i) stream.read(at += 40ms, true);
  stream.read(at += 5s, true);
  int decoded = 0;
  for (int i = 0; i < 124; ++i) decoded += stream.read(at += 1ms, false) ? 1 : 0;
  CHECK(decoded <= 6);
}

TEST_CASE("a reader that is always too slow keeps within a key frame of the newest") {
  Stream stream;
  Time at = kStart;
  const Duration began = stream.stamp;
  Duration behind_most{};
  for (int i = 0; i < 5000; ++i) {
    const Duration sent = at - kStart + began + 40ms;
    const bool waits = stream.stamp + 40ms > sent;  // not sent yet
    if (waits) at += stream.stamp + 40ms - sent;
    behind_most = std::max(behind_most, at - kStart + began - stream.stamp);
    if (stream.read(at, waits)) at += 60ms;  // to decode 40 ms of video
  }
  CHECK(behind_most < 2s);
}

TEST_CASE("a camera that paused is not behind") {
  Stream stream;
  Time at = kStart;
  for (int i = 0; i < 50; ++i) stream.read(at += 40ms, true);
  at += 3s;  // it sent nothing, and its clock stood still
  for (int i = 0; i < 50; ++i) CHECK(stream.read(at += 40ms, true));
}

}  // namespace
}  // namespace framefleet::producer
