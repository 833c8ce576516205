#include "producer/sources/synthetic_oracle.hpp"
#include "producer/sources/synthetic_source.hpp"
#include "tests/support/catch.hpp"
#include "worker/detectors/aruco.hpp"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <algorithm>

using namespace framefleet;
using namespace framefleet::producer;

namespace {

SyntheticOptions options_of(const std::string& argument) {
  const auto options = parse_synthetic(argument);
  REQUIRE(options);
  return *options;
}

Error error_of(const std::string& argument) {
  const auto options = parse_synthetic(argument);
  REQUIRE_FALSE(options);
  CHECK(options.error().exit_code == exit_code::kUsage);
  return options.error();
}

cv::Mat frame_of(SyntheticSource& source, std::uint64_t sequence) {
  const auto picture = source.read(sequence);
  REQUIRE(picture);
  REQUIRE(*picture);
  const std::vector<char> bytes((*picture)->bytes.begin(), (*picture)->bytes.end());
  return cv::imdecode(bytes, cv::IMREAD_COLOR);
}

/// What a detector that knows nothing of the oracle finds.
std::vector<SeenMarker> markers_in(const cv::Mat& frame) {
  std::vector<int> ids;
  std::vector<std::vector<cv::Point2f>> corners;
  worker::MarkerFinder(cv::aruco::DICT_4X4_1000).find(frame, corners, ids);
  std::vector<SeenMarker> markers;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto [left, right] =
        std::minmax({corners[i][0].x, corners[i][1].x, corners[i][2].x, corners[i][3].x});
    const auto [top, bottom] =
        std::minmax({corners[i][0].y, corners[i][1].y, corners[i][2].y, corners[i][3].y});
    markers.push_back({ids[i], {left, top, right - left, bottom - top}});
  }
  return markers;
}

}  // namespace

TEST_CASE("a synthetic frame tells its camera and number to whoever reads its markers") {
  const auto argument = GENERATE(as<std::string>{}, "synthetic:?count=0&camera=7",
                                 "synthetic:?count=0&size=200x200&camera=999",
                                 "synthetic:?count=0&size=200x720&quality=30&seed=3",
                                 "synthetic:?count=0&size=1280x720&quality=100&camera=123",
                                 "synthetic:?count=0&size=321x203&quality=50&seed=9");
  const auto options = options_of(argument);
  SyntheticSource source("camera", 0, options);
  std::vector<std::uint64_t> sequences = {0,         999,         1000,       999'999,
                                          1'000'000, 123'456'789, 999'999'999};
  for (std::uint64_t s = 1; s < 60; ++s) sequences.push_back(s * 7919);
  for (const auto sequence : sequences) {
    INFO(argument << " frame " << sequence);
    const auto markers = markers_in(frame_of(source, sequence));
    REQUIRE(markers.size() == 4);
    const auto seen = decode_marker_ids(markers, options.width, options.height);
    REQUIRE(seen);
    REQUIRE(*seen == SeenFrame{options.camera, sequence});
  }
}

TEST_CASE("every marker of the dictionary survives drawing, JPEG and detection") {
  const auto options = options_of("synthetic:?count=0&size=200x200&quality=50");
  SyntheticSource source("camera", 0, options);
  // Frame i * 1001001 shows marker i three times.
  for (std::uint64_t i = 0; i < 999; ++i) {
    const auto sequence = i * 1'001'001;
    const auto seen =
        decode_marker_ids(markers_in(frame_of(source, sequence)), options.width, options.height);
    INFO("marker " << i);
    REQUIRE(seen);
    REQUIRE(seen->sequence == sequence);
  }
}

TEST_CASE("expected markers and their reading are inverse") {
  CHECK(expected_marker_ids(7, 123'456'789) == std::array<int, 4>{7, 123, 456, 789});
  const auto boxes = expected_marker_boxes(640, 480);
  std::vector<SeenMarker> markers;
  const auto ids = expected_marker_ids(5, 42'001);
  for (std::size_t i = 0; i < ids.size(); ++i) markers.push_back({ids[i], boxes[i]});
  std::reverse(markers.begin(), markers.end());
  CHECK(decode_marker_ids(markers, 640, 480) == SeenFrame{5, 42'001});
  markers.push_back({77, {300, 200, 60, 60}});
  CHECK(decode_marker_ids(markers, 640, 480) == SeenFrame{5, 42'001});
  CHECK_FALSE(decode_marker_ids(markers, 1280, 960));
  auto doubled = markers;
  doubled.push_back({9, boxes[2]});
  CHECK_FALSE(decode_marker_ids(doubled, 640, 480));
  markers.erase(markers.begin());
  CHECK_FALSE(decode_marker_ids(markers, 640, 480));
  CHECK_FALSE(decode_marker_ids({}, 640, 480));
}

TEST_CASE("the shapes are where the oracle says, to the pixel") {
  const auto size = GENERATE(as<std::string>{}, "640x480", "200x200", "1920x300");
  const auto options = options_of("synthetic:?count=0&quality=100&size=" + size);
  SyntheticSource source("camera", 0, options);
  for (const std::uint64_t sequence : {0U, 1U, 50U, 12345U}) {
    INFO(size << " frame " << sequence);
    const auto expected = expected_frame(options, sequence);
    CHECK(expected.sequence == sequence);
    REQUIRE(expected.shapes.size() == kShapeKinds.size());
    // The shapes alone are coloured: what differs between its channels is shape.
    const auto frame = frame_of(source, sequence);
    std::vector<cv::Mat> channels;
    cv::split(frame, channels);
    const cv::Mat spread = cv::max(cv::max(channels[0], channels[1]), channels[2]) -
                           cv::min(cv::min(channels[0], channels[1]), channels[2]);
    for (const auto& box : expected.shapes) {
      const cv::Rect around(static_cast<int>(box.x) - 4, static_cast<int>(box.y) - 4,
                            static_cast<int>(box.width) + 8, static_cast<int>(box.height) + 8);
      const cv::Rect inside = around & cv::Rect(0, 0, options.width, options.height);
      const auto seen = cv::boundingRect(cv::Mat(spread(inside) > 60)) + inside.tl();
      // JPEG shares colour between neighbouring pixels.
      CHECK(static_cast<float>(seen.x) == Approx(box.x).margin(2));
      CHECK(static_cast<float>(seen.y) == Approx(box.y).margin(2));
      CHECK(static_cast<float>(seen.width) == Approx(box.width).margin(3));
      CHECK(static_cast<float>(seen.height) == Approx(box.height).margin(3));
    }
  }
}

TEST_CASE("shapes move, stay in the picture and never overlap each other or a marker") {
  for (const auto* size : {"200x200", "640x480", "200x8192", "8192x200"}) {
    const auto options = options_of(std::string("synthetic:?size=") + size);
    const auto overlap = [](const Box& a, const Box& b) {
      return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height &&
             b.y < a.y + a.height;
    };
    for (std::uint64_t sequence = 0; sequence < 500; ++sequence) {
      INFO(size << " frame " << sequence);
      auto boxes = expected_frame(options, sequence).shapes;
      CHECK(boxes != expected_frame(options, sequence + 1).shapes);
      for (const auto& box : expected_marker_boxes(options.width, options.height)) {
        boxes.push_back(box);
      }
      for (std::size_t i = 0; i < boxes.size(); ++i) {
        REQUIRE(boxes[i].x >= 0);
        REQUIRE(boxes[i].y >= 0);
        REQUIRE(boxes[i].width >= 3);
        REQUIRE(boxes[i].x + boxes[i].width <= static_cast<float>(options.width));
        REQUIRE(boxes[i].y + boxes[i].height <= static_cast<float>(options.height));
        for (std::size_t j = 0; j < i; ++j) REQUIRE_FALSE(overlap(boxes[i], boxes[j]));
      }
    }
  }
}

TEST_CASE("the same options and sequence give the same bytes, in any order of reading") {
  const auto options = options_of("synthetic:?count=100&seed=5");
  SyntheticSource one("camera", 0, options);
  SyntheticSource other("camera", 0, options);
  const auto bytes = (*one.read(42))->bytes;
  CHECK((*other.read(99)).has_value());
  CHECK((*other.read(42))->bytes == bytes);
  CHECK((*one.read(43))->bytes != bytes);
  SyntheticSource reseeded("camera", 0, options_of("synthetic:?count=100&seed=6"));
  CHECK((*reseeded.read(42))->bytes != bytes);
  SyntheticSource coarse("camera", 0, options_of("synthetic:?count=100&seed=5&quality=30"));
  CHECK((*coarse.read(42))->bytes.size() < bytes.size());
}

TEST_CASE("a synthetic camera ends after its count, and without one it goes on") {
  SyntheticSource source("job/cam1", 3, options_of("synthetic:?count=2&fps=25&name=cam1"));
  CHECK(source.name() == "job/cam1");
  CHECK(source.epoch() == 3);
  CHECK(source.count() == 2);
  CHECK(source.interval() == std::chrono::milliseconds(40));
  CHECK(source.next_sequence(1) == 1);
  CHECK_FALSE(source.next_sequence(2));
  CHECK((*source.read(1))->origin == "cam1#1");
  CHECK_FALSE(source.read(2)->has_value());
  SyntheticSource endless("camera", 0, options_of("synthetic:?count=0"));
  CHECK_FALSE(endless.count());
  CHECK(endless.interval() == Duration::zero());
  CHECK(endless.next_sequence(999'999'999) == 999'999'999);
  CHECK_FALSE(endless.next_sequence(1'000'000'000));
}

TEST_CASE("the options of the synthetic camera are read, and written in one order") {
  CHECK(options_of("synthetic:") == SyntheticOptions{});
  CHECK(options_of("synthetic:?") == SyntheticOptions{});
  const auto options = options_of(
      "synthetic:?name=cam1&count=5&fps=12.5&size=320x240&seed=18446744073709551615&camera=7&"
      "quality=80");
  CHECK(options.count == 5);
  CHECK(options.fps == 12.5);
  CHECK(options.width == 320);
  CHECK(options.height == 240);
  CHECK(options.camera == 7);
  CHECK(options.quality == 80);
  CHECK(options.name == "cam1");
  CHECK(options_of(to_argument(options)) == options);
  CHECK(to_argument(SyntheticOptions{}) ==
        "synthetic:?count=3000&fps=0&size=640x480&seed=1&camera=0&quality=90");
}

TEST_CASE("an option that does not exist is told those that do") {
  CHECK_THAT(error_of("synthetic:?colour=red").text,
             Catch::Contains("no option 'colour'") &&
                 Catch::Contains("count, fps, size, seed, camera, quality, name"));
}

TEST_CASE("a value out of range is told the range") {
  CHECK_THAT(error_of("synthetic:?camera=1000").text, Catch::Contains("from 0 to 999"));
  for (const auto* bad :
       {"count=-1",      "count=1000000001", "count=",    "count",
        "count=3x",      "fps=-1",           "fps=nan",   "fps=inf",
        "fps=1001",      "size=640",         "size=640x", "size=199x480",
        "size=640x9000", "size=640x480x3",   "seed=-1",   "seed=18446744073709551616",
        "quality=29",    "quality=101",      "name=",     "name=a/b",
        "name=a b",      "seed=1&seed=2",    "=",         "&"}) {
    INFO(bad);
    CHECK_FALSE(error_of(std::string("synthetic:?") + bad).text.empty());
  }
  CHECK_THAT(error_of("synthetic:count=3").text, Catch::Contains("start with '?'"));
}
