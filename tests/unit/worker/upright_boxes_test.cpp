// Boxes are in the upright frame of the full picture, however the picture is stored: a marker is
// drawn where it is known to be, and found there again by a workbench.

#include "tests/support/catch.hpp"
#include "tests/unit/worker/picture_seeds.hpp"
#include "tests/unit/worker/pictures.hpp"
#include "worker/detectors/aruco.hpp"
#include "worker/detectors/workbench.hpp"

#include <opencv2/imgproc.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace framefleet::worker {
namespace {

using namespace std::string_literals;

const cv::Rect kMarkerAt(200, 40, 90, 90);

/// 320 x 240, lit from one side, with a marker in its upper right part.
cv::Mat scene() {
  cv::Mat picture(240, 320, CV_8UC3);
  for (int x = 0; x < picture.cols; ++x) {
    picture.col(x).setTo(cv::Scalar(255 - x / 8, 240 - x / 8, 230 - x / 8));
  }
  cv::Mat marker = drawn_marker(cv::aruco::DICT_4X4_1000, 7, kMarkerAt.width);
  cv::cvtColor(marker, marker, cv::COLOR_GRAY2BGR);
  marker.copyTo(picture(kMarkerAt));
  return picture;
}

std::string written(const cv::Mat& picture, const std::string& extension,
                    const std::vector<int>& parameters = {}) {
  const auto bytes = test::encode(picture, extension, parameters);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Result<Worked, WorkError> work(const std::string& bytes) {
  Workbench bench;
  TaskDescription task;
  task.detect = {"markers"};
  NoObserver nobody;
  const std::vector frames{test::bytes_of(bytes)};
  return bench.work({1, 1, 1, 0}, 1, task, frames, nobody);
}

void check_marker_is_found(const std::string& bytes, bool damaged = false) {
  const auto worked = work(bytes);
  REQUIRE(worked.has_value());
  const ResultRecord& record = worked->record;
  CHECK(record.width == 320);
  CHECK(record.height == 240);
  CHECK(record.damaged == damaged);
  REQUIRE(record.reports.at(0).detections.size() == 1);
  const Box box = record.reports[0].detections[0].box;
  CHECK(std::abs(box.x - static_cast<float>(kMarkerAt.x)) <= 2);
  CHECK(std::abs(box.y - static_cast<float>(kMarkerAt.y)) <= 2);
  CHECK(std::abs(box.width - static_cast<float>(kMarkerAt.width)) <= 3);
  CHECK(std::abs(box.height - static_cast<float>(kMarkerAt.height)) <= 3);
}

TEST_CASE("a box is in the upright frame for each EXIF orientation of each format") {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    INFO(orientation);
    const cv::Mat stored = test::stored_as(scene(), orientation);
    const std::string tiff = test::tiff_with_orientation(orientation);
    const std::string jpeg = written(stored, ".jpg");
    check_marker_is_found(jpeg.substr(0, 2) + test::jpeg_segment(0xE1, "Exif\0\0"s + tiff) +
                          jpeg.substr(2));
    const std::string png = written(stored, ".png");
    check_marker_is_found(png.substr(0, 33) + test::png_chunk("eXIf", tiff) + png.substr(33));
    const std::string webp = written(stored, ".webp", {cv::IMWRITE_WEBP_QUALITY, 80});
    check_marker_is_found(
        test::webp_file(test::webp_canvas(0x08, static_cast<std::uint32_t>(stored.cols),
                                          static_cast<std::uint32_t>(stored.rows)) +
                        webp.substr(12) + test::webp_chunk("EXIF", tiff)));
  }
}

TEST_CASE("a box is where it belongs in grey, 16-bit, transparent and progressive pictures") {
  const cv::Mat colour = scene();
  cv::Mat grey;
  cv::cvtColor(colour, grey, cv::COLOR_BGR2GRAY);
  cv::Mat deep;
  colour.convertTo(deep, CV_16UC3, 257);
  cv::Mat alpha;
  cv::cvtColor(colour, alpha, cv::COLOR_BGR2BGRA);
  alpha.col(3).setTo(cv::Scalar(9, 9, 9, 0));
  for (const char* extension : {".jpg", ".png"}) check_marker_is_found(written(grey, extension));
  check_marker_is_found(written(deep, ".png"));
  for (const char* extension : {".png", ".webp"}) check_marker_is_found(written(alpha, extension));
  check_marker_is_found(written(colour, ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1}));
  check_marker_is_found(test::cmyk_jpeg_of(colour));
}

TEST_CASE("a JPEG that is cut short behind what it shows gives the right box and says damaged") {
  const std::string whole = written(scene(), ".jpg");
  check_marker_is_found(whole.substr(0, whole.size() * 9 / 10), true);
}

}  // namespace
}  // namespace framefleet::worker
