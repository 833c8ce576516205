// Copies of a picture in pictures, at places that are known.

#include "tests/support/catch.hpp"
#include "tests/unit/worker/pictures.hpp"
#include "worker/decoding/decoder.hpp"
#include "worker/detectors/registry.hpp"

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include <array>

namespace framefleet::worker {
namespace {

Result<Found, DetectError> look(const std::string& spec, const cv::Mat& picture,
                                const cv::Mat& wanted) {
  auto detector = make_detector(spec, {});
  INFO(spec);
  REQUIRE(detector.has_value());
  Decoder first;
  Decoder second;
  const NoObserver nobody;
  const auto whole = test::encode(picture, ".png");
  DetectInput input{
      *first.decode(whole, {.grey = true, .bgr = (*detector)->needs().bgr}), {}, 0, 1, nobody};
  const auto part = wanted.empty() ? test::Bytes() : test::encode(wanted, ".png");
  if (!part.empty()) input.second = *second.decode(part, {.grey = false, .bgr = true});
  return (*detector)->detect(input);
}

/// Soft noise: unlike itself at every other place.
cv::Mat texture(int width, int height, int seed) {
  cv::Mat picture(height, width, CV_8UC3);
  cv::RNG(static_cast<std::uint64_t>(seed)).fill(picture, cv::RNG::UNIFORM, 0, 256);
  cv::GaussianBlur(picture, picture, {0, 0}, 1.5);
  cv::normalize(picture, picture, 0, 255, cv::NORM_MINMAX);
  return picture;
}

std::vector<cv::Rect> boxes_of(const Found& found) {
  std::vector<cv::Rect> boxes;
  for (const auto& each : found.detections) {
    CHECK(each.label == "template");
    boxes.emplace_back(static_cast<int>(each.box.x), static_cast<int>(each.box.y),
                       static_cast<int>(each.box.width), static_cast<int>(each.box.height));
  }
  return boxes;
}

TEST_CASE("every copy is found where it is, to the pixel, and once") {
  const cv::Mat wanted = texture(31, 23, 1);
  cv::Mat picture = texture(300, 200, 2);
  const std::array<cv::Rect, 4> places{
      {{0, 0, 31, 23}, {269, 177, 31, 23}, {140, 60, 31, 23}, {140, 90, 31, 23}}};
  for (const auto& place : places) wanted.copyTo(picture(place));
  for (const char* spec : {"template", "template?planes=colour", "template?threshold=0.99"}) {
    const auto found = look(spec, picture, wanted);
    REQUIRE(found.has_value());
    auto boxes = boxes_of(*found);
    CHECK(boxes.size() == places.size());
    for (const auto& place : places) {
      CHECK(std::find(boxes.begin(), boxes.end(), place) != boxes.end());
    }
    for (const auto& each : found->detections) CHECK(each.score > 0.99F);
  }
  CHECK(look("template?max_count=2", picture, wanted)->detections.size() == 2);
  CHECK(look("template", texture(300, 200, 3), wanted)->detections.empty());
}

TEST_CASE("a copy that is lighter and noisier is still one, and the surest comes first") {
  const cv::Mat wanted = texture(31, 23, 1);
  cv::Mat picture = texture(300, 200, 2);
  cv::Mat lighter;
  wanted.convertTo(lighter, -1, 0.5, 100);
  cv::Mat noise(wanted.size(), wanted.type());
  cv::RNG(9).fill(noise, cv::RNG::UNIFORM, 0, 40);
  lighter += noise;
  lighter.copyTo(picture(cv::Rect(50, 50, 31, 23)));
  wanted.copyTo(picture(cv::Rect(200, 100, 31, 23)));
  const auto found = look("template", picture, wanted);
  REQUIRE(found.has_value());
  CHECK(boxes_of(*found) == std::vector<cv::Rect>{{200, 100, 31, 23}, {50, 50, 31, 23}});
  CHECK(found->detections[0].score > found->detections[1].score);
}

TEST_CASE("with several scales larger and smaller copies are found, in their size") {
  const cv::Mat wanted = texture(40, 40, 1);
  cv::Mat picture = texture(300, 200, 2);
  cv::Mat half;
  cv::Mat twice;
  cv::resize(wanted, half, {20, 20}, 0, 0, cv::INTER_AREA);
  cv::resize(wanted, twice, {80, 80}, 0, 0, cv::INTER_LINEAR);
  half.copyTo(picture(cv::Rect(20, 30, 20, 20)));
  twice.copyTo(picture(cv::Rect(150, 80, 80, 80)));
  CHECK(look("template", picture, wanted)->detections.empty());
  const auto found = look("template?scales=3", picture, wanted);
  REQUIRE(found.has_value());
  auto boxes = boxes_of(*found);
  REQUIRE(boxes.size() == 2);
  std::sort(boxes.begin(), boxes.end(), [](auto& a, auto& b) { return a.x < b.x; });
  CHECK(boxes == std::vector<cv::Rect>{{20, 30, 20, 20}, {150, 80, 80, 80}});
  for (const auto& each : found->detections) {
    CHECK(each.extra == (each.box.width < 40 ? R"({"scale":0.5})" : R"({"scale":2})"));
  }
}

TEST_CASE("what overlaps a surer one is not reported, unless it may") {
  cv::Mat stripes(60, 200, CV_8UC3, cv::Scalar::all(0));
  for (int x = 0; x < 200; x += 20) stripes.colRange(x, x + 10).setTo(cv::Scalar::all(255));
  const cv::Mat wanted = stripes(cv::Rect(0, 0, 40, 60));
  CHECK(look("template?overlap=0", stripes, wanted)->detections.size() == 5);
  CHECK(look("template?overlap=0.4", stripes, wanted)->detections.size() == 9);
}

TEST_CASE("a picture of one colour is like nothing") {
  const cv::Mat wanted = texture(31, 23, 1);
  cv::Mat flat(100, 100, CV_8UC3, cv::Scalar::all(77));
  CHECK(look("template?threshold=0.1", flat, wanted)->detections.empty());
  const auto refused = look("template", wanted, flat(cv::Rect(0, 0, 9, 9)));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().reason == Reason::bad_description);
  CHECK(refused.error().text.find("of one colour") != std::string::npos);
}

TEST_CASE("a template that is larger than the picture is not in it, and one has to be there") {
  const cv::Mat wanted = texture(31, 23, 1);
  CHECK(look("template", texture(30, 200, 1), wanted)->detections.empty());
  CHECK(
      look("template?scales=50&smallest=0.05&largest=20", texture(64, 64, 1), wanted).has_value());
  CHECK(boxes_of(*look("template", wanted, wanted)) == std::vector<cv::Rect>{{0, 0, 31, 23}});
  const auto none = look("template", wanted, {});
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().reason == Reason::bad_description);
  CHECK(make_detector("template?smallest=3&largest=2", {}).error().exit_code == exit_code::kUsage);
}

TEST_CASE("a picture of the worker's is looked for by its name, which is the label then") {
  const test::TemporaryFolder folder;
  const cv::Mat wanted = texture(31, 23, 1);
  cv::Mat picture = texture(300, 200, 2);
  wanted.copyTo(picture(cv::Rect(140, 60, 31, 23)));
  DetectorSettings settings;
  const auto add = [&](const std::string& name, const cv::Mat& file) {
    Model model;
    model.name = name;
    model.detector = "template";
    model.path = (folder.path() / (name + ".png")).string();
    cv::imwrite(model.path, file);
    settings.models.push_back(model);
    return try_model(model);
  };
  CHECK(add("logo", wanted)->layout == "picture");
  const auto flat = add("flat", cv::Mat(9, 9, CV_8UC3, cv::Scalar::all(7)));
  REQUIRE_FALSE(flat.has_value());
  CHECK(flat.error().exit_code == exit_code::kConfig);
  CHECK(flat.error().text.find("flat.png: the picture to look for is of one colour") !=
        std::string::npos);

  const auto detector = make_detector("template?model=logo", settings);
  REQUIRE(detector.has_value());
  CHECK_FALSE((*detector)->needs().second_picture);
  Decoder decoder;
  const NoObserver nobody;
  const auto bytes = test::encode(picture, ".png");
  const auto found =
      (*detector)->detect({*decoder.decode(bytes, {.grey = true}), {}, 0, 1, nobody});
  REQUIRE(found.has_value());
  REQUIRE(found->detections.size() == 1);
  CHECK(found->detections[0].label == "logo");
  CHECK(found->detections[0].box == Box{140, 60, 31, 23});
  CHECK(make_detector("template?model=gone", settings).error().exit_code == exit_code::kUsage);
}

TEST_CASE("a part of a photo is found in the photo") {
  if (!test::have_test_data("template")) return;
  const cv::Mat photo = cv::imread(test::test_data("data/photos/dog.jpg").string());
  const cv::Rect head(140, 210, 90, 80);
  const auto found = look("template", photo, photo(head));
  REQUIRE(found.has_value());
  CHECK(boxes_of(*found) == std::vector{head});
}

}  // namespace
}  // namespace framefleet::worker
