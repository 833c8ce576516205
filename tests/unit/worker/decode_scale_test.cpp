// Scaled decoding: only where every detector of a task allows it, and with boxes that are, within a
// tolerance, those of the full picture.

#include "tests/support/catch.hpp"
#include "tests/unit/worker/picture_seeds.hpp"
#include "tests/unit/worker/pictures.hpp"
#include "worker/decoding/decoder.hpp"
#include "worker/detectors/workbench.hpp"

#include <opencv2/imgproc.hpp>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "bench/vision/pictures.hpp"

namespace framefleet::worker {
namespace {

using namespace std::string_literals;
using test::Bytes;

constexpr const char* kHaar = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml";
constexpr const char* kLbp = "/usr/share/opencv4/lbpcascades/lbpcascade_frontalface.xml";
constexpr std::array kScales{DecodeScale::full, DecodeScale::half, DecodeScale::quarter,
                             DecodeScale::eighth};

/// A workbench whose `faces` may be given pictures of this size.
Workbench bench_with(DecodeScale haar, DecodeScale lbp = DecodeScale::full) {
  WorkbenchOptions options;
  options.detectors.models = {{"alt2", "faces", kHaar, haar}, {"small", "faces", kLbp, lbp}};
  return Workbench(options);
}

ResultRecord work(Workbench& bench, const Bytes& bytes, std::vector<std::string> detect = {"faces"},
                  bool annotate = false) {
  TaskDescription task;
  task.detect = std::move(detect);
  task.annotate = annotate;
  NoObserver nobody;
  const std::vector<std::span<const std::byte>> frames{bytes};
  const auto worked = bench.work({1, 1, 1, 0}, 1, task, frames, nobody);
  if (!worked) FAIL(worked.error().text);
  return worked->record;
}

/// "1/2", or "1", from the version of the first report.
std::string scale_of(const ResultRecord& record) {
  const std::string& version = record.reports.at(0).version;
  const auto at = version.find("+scale");
  return at == std::string::npos ? "1" : version.substr(at + 6);
}

cv::Mat crowd(int width, int height) {
  return test::reference(test::as_bytes(bench::make_crowd(width, height, 1)), cv::IMREAD_COLOR);
}

Bytes jpeg_of(const cv::Mat& picture) {
  return test::encode(picture, ".jpg", {cv::IMWRITE_JPEG_QUALITY, 95});
}

Bytes turned_jpeg_of(const cv::Mat& upright, int orientation) {
  const Bytes plain = jpeg_of(test::stored_as(upright, orientation));
  const std::string bytes(reinterpret_cast<const char*>(plain.data()), plain.size());
  const auto exif =
      test::jpeg_segment(0xE1, "Exif\0\0"s + test::tiff_with_orientation(orientation));
  return test::as_bytes(bytes.substr(0, 2) + exif + bytes.substr(2));
}

double overlap(const Box& a, const Box& b) {
  const double x = std::max(0.F, std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x));
  const double y = std::max(0.F, std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y));
  const double both = x * y;
  return both / (double{a.width} * a.height + double{b.width} * b.height - both);
}

/// Each of `wanted` has one of `found` that overlaps it so much, and there are no others.
void check_same_places(const ResultRecord& found, const ResultRecord& wanted, double least) {
  const auto& boxes = found.reports.at(0).detections;
  CHECK(boxes.size() == wanted.reports.at(0).detections.size());
  for (const auto& face : wanted.reports[0].detections) {
    double best = 0;
    for (const auto& each : boxes) best = std::max(best, overlap(each.box, face.box));
    CHECK(best >= least);
  }
}

TEST_CASE("a JPEG is decoded to a fraction of its size, rounded up, and looks the same") {
  Decoder decoder;
  const cv::Mat drawn = crowd(333, 251);
  for (const auto scale : kScales) {
    for (int orientation = 1; orientation <= 8; ++orientation) {
      INFO(to_string(scale) << " " << orientation);
      const auto picture =
          decoder.decode(turned_jpeg_of(drawn, orientation), {.grey = true, .bgr = true}, scale);
      REQUIRE(picture.has_value());
      CHECK(picture->scale == scale);
      CHECK(picture->width == 333);
      CHECK(picture->height == 251);
      const int divisor = static_cast<int>(scale);
      const cv::Size size((333 + divisor - 1) / divisor, (251 + divisor - 1) / divisor);
      CHECK(test::view(picture->grey).size() == size);
      REQUIRE(test::view(picture->bgr).size() == size);
      cv::Mat expected;
      cv::resize(drawn, expected, size, 0, 0, cv::INTER_AREA);
      CHECK(cv::norm(test::view(picture->bgr), expected, cv::NORM_L1) <
            8.0 * 3 * size.width * size.height);
    }
  }
}

TEST_CASE("what is no JPEG is decoded in full, and a JPEG in CMYK or cut short is scaled too") {
  Decoder decoder;
  const cv::Mat drawn = crowd(200, 100);
  for (const char* extension : {".png", ".webp"}) {
    const auto picture = decoder.decode(test::encode(drawn, extension), {}, DecodeScale::half);
    REQUIRE(picture.has_value());
    CHECK(picture->scale == DecodeScale::full);
    CHECK(picture->grey.width == 200);
  }
  const auto cmyk = decoder.decode(test::as_bytes(test::cmyk_jpeg_of(drawn)),
                                   {.grey = true, .bgr = true}, DecodeScale::half);
  REQUIRE(cmyk.has_value());
  CHECK(cmyk->grey.width == 100);
  CHECK(cmyk->bgr.height == 50);
  auto cut = jpeg_of(drawn);
  cut.resize(cut.size() * 3 / 4);
  const auto damaged = decoder.decode(cut, {}, DecodeScale::quarter);
  REQUIRE(damaged.has_value());
  CHECK(damaged->damaged);
  CHECK(damaged->grey.height == 25);
}

TEST_CASE("faces at half size are where they are at full size, however the picture is turned") {
  auto in_full = bench_with(DecodeScale::full);
  auto scaled = bench_with(DecodeScale::half);
  const cv::Mat drawn = crowd(1001, 667);
  const std::vector sure{"faces?neighbours=8"s};
  const auto wanted = work(in_full, jpeg_of(drawn), sure);
  CHECK(scale_of(wanted) == "1");
  REQUIRE(wanted.reports.at(0).detections.size() == 6);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    INFO(orientation);
    const auto found = work(scaled, turned_jpeg_of(drawn, orientation), sure);
    CHECK(scale_of(found) == "1/2");
    CHECK(found.width == 1001);
    CHECK(found.height == 667);
    check_same_places(found, wanted, 0.85);
  }
}

TEST_CASE("sizes in options are pixels of the full picture") {
  auto scaled = bench_with(DecodeScale::half);
  const auto jpeg = jpeg_of(crowd(1001, 667));
  const auto count = [&](const std::string& spec) {
    return work(scaled, jpeg, {spec + "&neighbours=8"}).reports.at(0).detections.size();
  };
  CHECK(count("faces?min_size=1") == 6);
  CHECK(count("faces?min_size=150") >= 3);  // Of 108 to 208 pixels.
  CHECK(count("faces?min_size=300") == 0);
  CHECK(count("faces?max_size=80") == 0);
  CHECK(count("faces?max_size=1") == 0);
}

TEST_CASE("a picture is scaled where its only detector allows it, and nowhere else") {
  const auto jpeg = jpeg_of(crowd(640, 480));
  Workbench without;
  CHECK(scale_of(work(without, jpeg)) == "1");
  auto bench = bench_with(DecodeScale::half, DecodeScale::eighth);
  CHECK(scale_of(work(bench, jpeg)) == "1/2");
  CHECK(scale_of(work(bench, jpeg, {"faces?cascade=small"})) == "1/8");
  CHECK(scale_of(work(bench, jpeg, {"faces?cascade=small", "faces"})) == "1/2");
  CHECK(scale_of(work(bench, jpeg, {"faces?cascade=lbp"})) == "1");
  CHECK(scale_of(work(bench, jpeg, {"faces", "edges"})) == "1");
  CHECK(scale_of(work(bench, jpeg, {"corners", "faces"})) == "1");
  CHECK(scale_of(work(bench, jpeg, {"faces"}, true)) == "1");
  CHECK(scale_of(work(bench, test::encode(crowd(640, 480), ".png"))) == "1");
  CHECK(work(bench, jpeg, {}).width == 640);
}

TEST_CASE("detectors that do not allow it give the same answer with models and without") {
  const auto jpeg = jpeg_of(crowd(640, 480));
  Workbench without;
  auto bench = bench_with(DecodeScale::eighth);
  const auto wanted = work(without, jpeg, {"edges", "corners", "faces?cascade=lbp"});
  const auto found = work(bench, jpeg, {"edges", "corners", "faces?cascade=lbp"});
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(found.reports.at(i).detections == wanted.reports.at(i).detections);
  }
}

TEST_CASE("a model that this worker does not have is a fault of the description") {
  Workbench bench;
  TaskDescription task;
  task.detect = {"faces?cascade=mine"};
  NoObserver nobody;
  const auto bytes = jpeg_of(crowd(64, 64));
  const std::vector<std::span<const std::byte>> frames{bytes};
  const auto worked = bench.work({1, 1, 1, 0}, 1, task, frames, nobody);
  REQUIRE_FALSE(worked.has_value());
  CHECK(worked.error().reason == Reason::bad_description);
  CHECK(worked.error().text.find("cascade=mine is not accepted") != std::string::npos);
}

}  // namespace
}  // namespace framefleet::worker
