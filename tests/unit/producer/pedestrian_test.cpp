// The motion gate on the video of pedestrians that comes with OpenCV (Debian: opencv-doc), against
// a reference that has nothing in common with it.
//
// Somebody is always somewhere in that video, so it is cut into twelve tiles, and each is shown to
// a gate of its own as the picture of a camera. What is in a tile is told by the past and the
// future together: a pixel's background is its median over all of it, and what differs from
// that is a visitor, if it is as large as half a walker for half a second. An appearance is a
// visitor in a tile that was empty for two seconds.

#include "producer/motion/motion_gate.hpp"
#include "tests/support/catch.hpp"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace framefleet::producer {
namespace {

using namespace std::chrono_literals;

/// Where the package lies unpacked, or is installed.
std::string video_path() {
  const char* const given = std::getenv("FRAMEFLEET_PEDESTRIANS");
  return given != nullptr ? given : "/usr/share/doc/opencv-doc/examples/data/vtest.avi";
}

constexpr Duration kFrame = 100ms;
constexpr int kFrames = 500;
constexpr int kColumns = 4;
constexpr int kRows = 3;
constexpr int kTiles = kColumns * kRows;
/// The reference looks at every fourth pixel of the blurred picture, where a walker (25 x 75
/// pixels) has a hundred of them.
constexpr int kReduced = 4;
constexpr int kHalfAWalker = 50;
constexpr int kNobody = 12;
constexpr double kDiffers = 22;  // grey levels
constexpr std::size_t kStays = 5;
constexpr std::size_t kEmptyBefore = 20;
constexpr std::size_t kMissedFrames = 5;  // half a second

/// Every frame of the video's first 50 s, in turn.
template <class Look>
void watch_video(Look look) {
  cv::VideoCapture capture(video_path());
  cv::Mat frame;
  for (int i = 0; i < kFrames && capture.read(frame); ++i) look(frame);
}

/// What the reference looks at.
std::vector<cv::Mat> reduced_frames() {
  std::vector<cv::Mat> frames;
  cv::Mat grey;
  watch_video([&](const cv::Mat& frame) {
    cv::cvtColor(frame, grey, cv::COLOR_BGR2GRAY);
    frames.emplace_back();
    cv::resize(grey, frames.back(), cv::Size(frame.cols / kReduced, frame.rows / kReduced), 0, 0,
               cv::INTER_AREA);
  });
  return frames;
}

cv::Mat median_of(const std::vector<cv::Mat>& frames) {
  cv::Mat median(frames.front().size(), CV_8UC1);
  std::vector<std::uint8_t> values;
  for (int y = 0; y < median.rows; ++y) {
    for (int x = 0; x < median.cols; ++x) {
      values.clear();
      for (std::size_t i = 0; i < frames.size(); i += 8) {
        values.push_back(frames[i].at<std::uint8_t>(y, x));
      }
      const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
      std::nth_element(values.begin(), middle, values.end());
      median.at<std::uint8_t>(y, x) = *middle;
    }
  }
  return median;
}

cv::Rect tile_of(int tile, const cv::Size& size) {
  const int width = size.width / kColumns;
  const int height = size.height / kRows;
  return {tile % kColumns * width, tile / kColumns * height, width, height};
}

/// Pixels that differ from the background, by tile and frame.
std::vector<std::vector<int>> visitors_of(const std::vector<cv::Mat>& frames) {
  const cv::Mat background = median_of(frames);
  std::vector<std::vector<int>> visitors(kTiles);
  cv::Mat difference;
  for (const auto& frame : frames) {
    cv::absdiff(frame, background, difference);
    const cv::Mat differs = difference > kDiffers;
    for (int tile = 0; tile < kTiles; ++tile) {
      visitors.at(static_cast<std::size_t>(tile))
          .push_back(cv::countNonZero(differs(tile_of(tile, frame.size()))));
    }
  }
  return visitors;
}

/// The frames in which a visitor is there first.
std::vector<std::size_t> appearances_in(const std::vector<int>& visitors) {
  std::vector<std::size_t> appearances;
  std::size_t empty = 0;
  for (std::size_t i = 0; i + kStays <= visitors.size(); ++i) {
    const auto from = visitors.begin() + static_cast<std::ptrdiff_t>(i);
    const bool stays = std::all_of(from, from + static_cast<std::ptrdiff_t>(kStays),
                                   [](int pixels) { return pixels >= kHalfAWalker; });
    if (stays && empty >= kEmptyBefore) appearances.push_back(i);
    if (stays) empty = 0;
    // Until half a walker is there, a part of one comes in: that is no visitor yet, and not empty.
    if (visitors[i] <= kNobody) ++empty;
  }
  return appearances;
}

/// A gate as a camera with a tile as its picture would have it.
MotionGate gate_of_a_tile(MotionMethod method) {
  MotionOptions options;
  options.method = method;
  options.width /= kColumns;
  options.min_area *= kTiles;
  options.hold = 500ms;
  options.forced_interval = 0s;
  return MotionGate(options);
}

/// Which frames passed, by tile.
std::vector<std::vector<bool>> passed(MotionMethod method) {
  std::vector<MotionGate> gates;
  for (int tile = 0; tile < kTiles; ++tile) gates.push_back(gate_of_a_tile(method));
  std::vector<std::vector<bool>> result(kTiles);
  Time now{};
  watch_video([&](const cv::Mat& frame) {
    now += kFrame;
    for (std::size_t tile = 0; tile < kTiles; ++tile) {
      const cv::Mat part = frame(tile_of(static_cast<int>(tile), frame.size()));
      result[tile].push_back(
          gates[tile].pass({part.data, static_cast<std::uint32_t>(part.cols),
                            static_cast<std::uint32_t>(part.rows), 3, part.step[0]},
                           now));
    }
  });
  return result;
}

}  // namespace

TEST_CASE("No walker who appears is missed for more than half a second") {
  if (!std::filesystem::exists(video_path())) {
    std::fprintf(stderr, "SKIPPED: motion gate on pedestrians: no %s (Debian: opencv-doc)\n",
                 video_path().c_str());
    return;
  }
  cv::setNumThreads(1);
  const auto reduced = reduced_frames();
  REQUIRE(reduced.size() == kFrames);
  const auto visitors = visitors_of(reduced);
  for (const auto method : {MotionMethod::mog2, MotionMethod::difference}) {
    int appeared = 0;
    int was_closed = 0;
    int empty_frames = 0;
    int empty_gated = 0;
    std::size_t longest = 0;
    const auto through_gates = passed(method);
    for (std::size_t tile = 0; tile < kTiles; ++tile) {
      const auto& inside = visitors[tile];
      const auto& through = through_gates[tile];
      for (const auto at : appearances_in(inside)) {
        std::size_t missed = 0;
        while (at + missed < through.size() && !through[at + missed]) ++missed;
        CAPTURE(tile, at, missed);
        CHECK(missed <= kMissedFrames);
        longest = std::max(longest, missed);
        ++appeared;
        const std::size_t from = at - kEmptyBefore;
        was_closed += std::count(through.begin() + static_cast<std::ptrdiff_t>(from),
                                 through.begin() + static_cast<std::ptrdiff_t>(at), false) > 0;
      }
      for (std::size_t i = 50; i < inside.size(); ++i) {  // after the warm-up
        if (inside[i] > kNobody) continue;
        ++empty_frames;
        empty_gated += through[i] ? 0 : 1;
      }
    }
    std::printf(
        "pedestrians, %s: %d appearances (%d at a closed gate), missed for at most %zu ms; "
        "%.1f %% of the empty frames gated\n",
        method == MotionMethod::mog2 ? "mog2" : "difference", appeared, was_closed, 100 * longest,
        100.0 * empty_gated / empty_frames);
    CHECK(appeared >= 10);
    CHECK(was_closed >= appeared / 2);  // or the gate proves nothing
  }
}

}  // namespace framefleet::producer
