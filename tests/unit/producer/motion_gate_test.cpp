// The motion gate on scenes that are drawn here: what moves, and when, is known.

#include "producer/motion/motion_gate.hpp"

#include "tests/support/catch.hpp"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <vector>

namespace framefleet::producer {
namespace {

using namespace std::chrono_literals;

constexpr int kWidth = 640;
constexpr int kHeight = 360;
constexpr Duration kFrame = 200ms;

FrameView view_of(const cv::Mat& picture) {
  return {picture.data, static_cast<std::uint32_t>(picture.cols),
          static_cast<std::uint32_t>(picture.rows), static_cast<std::uint32_t>(picture.channels()),
          picture.step[0]};
}

/// A camera that looks at a yard: texture, the noise of its sensor, a light that changes slowly.
class Yard {
 public:
  explicit Yard(double noise = 6) {
    cv::RNG random(20240501);
    cv::Mat texture(kHeight / 8, kWidth / 8, CV_8UC1);
    random.fill(texture, cv::RNG::UNIFORM, 40, 200);
    cv::resize(texture, yard_, cv::Size(kWidth, kHeight), 0, 0, cv::INTER_CUBIC);
    for (auto& grain : grains_) {
      grain.create(kHeight, kWidth, CV_16SC1);
      random.fill(grain, cv::RNG::NORMAL, 0, noise);
    }
  }

  /// `light`: 1 is what it usually is.
  const cv::Mat& frame(double light = 1, const cv::Rect& visitor = {}) {
    yard_.convertTo(lit_, CV_16S, light);
    if (visitor.area() > 0) lit_(visitor).setTo(230 * light);
    cv::add(lit_, grains_.at(++number_ % grains_.size()), lit_);
    lit_.convertTo(frame_, CV_8U);
    return frame_;
  }

 private:
  cv::Mat yard_, lit_, frame_;
  std::array<cv::Mat, 13> grains_;
  std::size_t number_{0};
};

/// Shows the gate one frame after the other, and remembers when they passed.
class Watch {
 public:
  explicit Watch(const MotionOptions& options) : gate(options) {}

  bool show(const cv::Mat& frame) {
    now += kFrame;
    return gate.pass(view_of(frame), now);
  }
  /// `count` frames of a yard where nothing moves; how many passed.
  int still(Yard& yard, int count) {
    int passed = 0;
    for (int i = 0; i < count; ++i) passed += show(yard.frame()) ? 1 : 0;
    return passed;
  }

  MotionGate gate;
  Time now{};
};

MotionOptions plain(MotionMethod method = MotionMethod::mog2) {
  MotionOptions options;
  options.method = method;
  options.warm_up = 2s;
  options.hold = 0s;
  options.forced_interval = 0s;
  return options;
}

const cv::Rect kVisitor(300, 150, 30, 80);  // 1 % of the picture

}  // namespace

TEST_CASE("Of a scene where nothing moves at least 95 of 100 frames are gated") {
  for (const auto method : {MotionMethod::mog2, MotionMethod::difference}) {
    MotionOptions options;
    options.method = method;
    Yard yard;
    Watch watch(options);
    constexpr int kFrames = 600;  // two minutes
    for (int i = 0; i < kFrames; ++i) {
      watch.show(yard.frame(1 + 0.2 * std::sin(i * 2 * CV_PI / 200)));  // a cloud every 40 s
    }
    const auto& stats = watch.gate.stats();
    const double gated = static_cast<double>(stats.gated) / kFrames;
    std::printf("static scene, %s: %.1f %% gated, %d moving, %d forced\n",
                method == MotionMethod::mog2 ? "mog2" : "difference", 100 * gated,
                static_cast<int>(stats.moving), static_cast<int>(stats.forced));
    CHECK(gated >= 0.95);
    CHECK(stats.passed + stats.gated == kFrames);
    CHECK(stats.forced == 1);
    CHECK(stats.warm_ups == 1);
  }
}

TEST_CASE("Something that comes into the picture passes at once, and as long as it moves") {
  for (const auto method : {MotionMethod::mog2, MotionMethod::difference}) {
    Yard yard;
    Watch watch(plain(method));
    watch.still(yard, 50);
    CHECK(watch.still(yard, 50) == 0);
    for (int i = 0; i < 30; ++i) {
      CHECK(watch.show(yard.frame(1, kVisitor + cv::Point(6 * i, 0))));
    }
    CHECK(watch.gate.stats().moving == 30);
    CHECK(watch.gate.stats().largest_area > 0.003);
  }
}

TEST_CASE("Colour is looked at as grey") {
  Yard yard;
  Watch watch(plain());
  cv::Mat colour;
  const auto show = [&](const cv::Rect& visitor) {
    cv::cvtColor(yard.frame(1, visitor), colour, cv::COLOR_GRAY2BGR);
    return watch.show(colour);
  };
  for (int i = 0; i < 20; ++i) show({});
  CHECK_FALSE(show({}));
  CHECK(show(kVisitor));
}

TEST_CASE("What is smaller than the minimum area is no motion") {
  auto options = plain();
  options.min_area = 0.02;
  Yard yard;
  Watch watch(options);
  watch.still(yard, 20);
  CHECK_FALSE(watch.show(yard.frame(1, kVisitor)));
  CHECK(watch.gate.stats().largest_area == 0);
  CHECK(watch.show(yard.frame(1, cv::Rect(100, 100, 120, 80))));
}

TEST_CASE("Frames pass for the hold time after the last one that moved, and no longer") {
  auto options = plain(MotionMethod::difference);  // forgets the visitor at once
  options.hold = 1s;
  Yard yard;
  Watch watch(options);
  watch.still(yard, 20);
  CHECK(watch.show(yard.frame(1, kVisitor)));
  CHECK(watch.still(yard, 5) == 5);
  CHECK(watch.still(yard, 20) == 0);
}

TEST_CASE("Every frame of the warm-up passes, and none after it") {
  Yard yard;
  Watch watch(plain());
  CHECK(watch.still(yard, 11) == 11);  // 0 s to 2 s
  CHECK(watch.still(yard, 20) == 0);
  CHECK(watch.gate.stats().moving == 0);
}

TEST_CASE("The first frame passes even without a warm-up") {
  auto options = plain();
  options.warm_up = 0s;
  Yard yard;
  Watch watch(options);
  CHECK(watch.still(yard, 1) == 1);
  CHECK(watch.still(yard, 10) == 0);
}

TEST_CASE("A frame is forced through when none has passed for a while") {
  auto options = plain();
  options.forced_interval = 5s;
  Yard yard;
  Watch watch(options);
  watch.still(yard, 11);              // the last at 2 s
  CHECK(watch.still(yard, 24) == 0);  // until 6.8 s
  CHECK(watch.still(yard, 1) == 1);   // 7 s
  CHECK(watch.still(yard, 24) == 0);
  CHECK(watch.still(yard, 1) == 1);
  CHECK(watch.gate.stats().forced == 2);
  CHECK(watch.gate.stats().moving == 0);
}

TEST_CASE("Motion behind a mask does not count, beside it it does") {
  auto options = plain();
  options.masks = {{{0.4, 0.3}, {0.6, 0.3}, {0.6, 0.8}, {0.4, 0.8}}};
  Yard yard;
  Watch watch(options);
  watch.still(yard, 20);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(watch.show(yard.frame(1, kVisitor + cv::Point(i, 0))));
  CHECK(watch.show(yard.frame(1, cv::Rect(100, 150, 30, 80))));
}

TEST_CASE("A light that is switched passes and begins a new warm-up") {
  for (const auto method : {MotionMethod::mog2, MotionMethod::difference}) {
    Yard yard;
    Watch watch(plain(method));
    watch.still(yard, 30);
    CHECK(watch.gate.stats().warm_ups == 1);
    int passed = 0;
    for (int i = 0; i < 40; ++i) passed += watch.show(yard.frame(0.3)) ? 1 : 0;
    CHECK(passed == 12);  // the one that changed, and a warm-up
    CHECK(watch.gate.stats().warm_ups == 2);
    CHECK(watch.show(yard.frame(0.3, kVisitor)));
  }
}

TEST_CASE("A picture of another shape begins a new warm-up, one that is only larger does not") {
  Yard yard;
  Watch watch(plain());
  cv::Mat other;
  const auto show = [&](int width, int height) {
    cv::resize(yard.frame(), other, cv::Size(width, height), 0, 0, cv::INTER_AREA);
    return watch.show(other);
  };
  for (int i = 0; i < 20; ++i) show(320, 180);
  for (int i = 0; i < 10; ++i) CHECK_FALSE(show(640, 360));
  for (int i = 0; i < 11; ++i) CHECK(show(320, 240));
  for (int i = 0; i < 10; ++i) CHECK_FALSE(show(320, 240));
  CHECK(watch.gate.stats().warm_ups == 2);
}

TEST_CASE("A frame that cannot be looked at passes and is counted") {
  Yard yard;
  Watch watch(plain());
  watch.still(yard, 20);
  const auto passed = watch.gate.stats().passed;
  for (const FrameView& odd :
       {FrameView{}, FrameView{nullptr, 10, 10, 1, 10}, FrameView{yard.frame().data, 10, 10, 2, 20},
        FrameView{yard.frame().data, 10, 10, 3, 10}, FrameView{yard.frame().data, 0, 10, 1, 10}}) {
    CHECK(watch.gate.pass(odd, watch.now += kFrame));
  }
  CHECK(watch.gate.stats().unseen == 5);
  CHECK(watch.gate.stats().passed == passed + 5);
  CHECK(watch.still(yard, 5) == 0);
}

TEST_CASE("A clock that stands still or runs back is no reason to stop looking") {
  Yard yard;
  Watch watch(plain());
  watch.still(yard, 20);
  const Time then = watch.now - 10s;
  CHECK_FALSE(watch.gate.pass(view_of(yard.frame()), then));
  CHECK(watch.gate.pass(view_of(yard.frame(1, kVisitor)), then));
}

TEST_CASE("Options that make no sense are refused with what they may be") {
  const auto refused = [](const std::function<void(MotionOptions&)>& change) {
    MotionOptions options;
    change(options);
    const auto sound = check(options);
    return sound ? std::string() : sound.error();
  };
  CHECK(refused([](auto&) {}).empty());
  CHECK(refused([](auto& o) { o.width = 31; }) == "width is 31; it may be 32 to 1920");
  CHECK(refused([](auto& o) { o.min_area = 0; }) ==
        "min_area is 0; it is a share of the picture, above 0 and below 1");
  CHECK_FALSE(refused([](auto& o) { o.min_area = std::nan(""); }).empty());
  CHECK_FALSE(refused([](auto& o) { o.hold = -1s; }).empty());
  CHECK_FALSE(refused([](auto& o) { o.masks.resize(65, {{0, 0}, {0, 1}, {1, 1}}); }).empty());
  CHECK(refused([](auto& o) {
          o.masks = {{{0, 0}, {1, 1}}};
        }) == "mask 1 has 2 points; a polygon has 3 to 256");
  CHECK(refused([](auto& o) {
          o.masks = {{{0, 0}, {1, 1}, {1.5, 0}}};
        }) == "mask 1 has the point 1.5,0; coordinates are shares of width and height, 0 to 1");
}

}  // namespace framefleet::producer
