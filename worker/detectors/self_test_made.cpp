#include "worker/detectors/self_test_made.hpp"

#include "worker/decoding/encoder.hpp"
#include "worker/detectors/mat.hpp"
#include "worker/detectors/operation.hpp"

#include <fmt/format.h>

#include <array>

namespace framefleet::worker {
namespace {

constexpr int kQuality = 90;  // Keeps every grey of a block that has no other.

std::string encode(const cv::Mat& picture) {
  auto jpeg = JpegEncoder().encode(as_plane(picture), kQuality);
  return jpeg ? std::move(*jpeg) : std::string();  // an empty picture fails its test
}

/// Half a picture has this grey and half that, with whole blocks of a JPEG for each. The
/// differences between them have no rest when a Gaussian of five pixels weighs them.
constexpr int kDark = 60;
constexpr int kBright = 188;
constexpr int kWidth = 64;
constexpr int kHeight = 48;

cv::Mat halves(int left, int right, int type = CV_8UC3) {
  cv::Mat picture(kHeight, kWidth, type, cv::Scalar::all(left));
  picture.colRange(kWidth / 2, kWidth).setTo(cv::Scalar::all(right));
  return picture;
}
std::vector<std::string> draw_halves() { return {encode(halves(kDark, kBright))}; }

std::string unless_made(const Worked& worked, const char* kind, const cv::Mat& expected) {
  const auto& made = worked.record.artefacts;
  if (made != std::vector<Artefact>{{kind, "jpg"}} || worked.artefacts.size() != 1) {
    return fmt::format("{} pictures", worked.artefacts.size());
  }
  return worked.artefacts[0] == encode(expected) ? "" : "another picture";
}

// --- each of them -------------------------------------------------------------------------------

std::vector<std::string> draw_strip() {
  return {encode(cv::Mat(kHeight / 3, kWidth, CV_8UC3, cv::Scalar::all(kDark)))};
}
std::string fault_of_resize(const Worked& worked) {
  return unless_made(worked, "resize", cv::Mat(160, 640, CV_8UC3, cv::Scalar::all(kDark)));
}

std::vector<std::string> draw_middle() {
  cv::Mat picture(64, 64, CV_8UC3, cv::Scalar::all(kDark));
  picture(cv::Rect(16, 16, 32, 32)).setTo(cv::Scalar::all(kBright));
  return {encode(picture)};
}
std::string fault_of_crop(const Worked& worked) {
  return unless_made(worked, "crop", cv::Mat(32, 32, CV_8UC3, cv::Scalar::all(kBright)));
}

std::string fault_of_flip(const Worked& worked) {
  return unless_made(worked, "flip", halves(kBright, kDark));
}

std::string fault_of_rotate(const Worked& worked) {
  cv::Mat expected(kWidth, kHeight, CV_8UC3, cv::Scalar::all(kBright));
  expected.rowRange(kWidth / 2, kWidth).setTo(cv::Scalar::all(kDark));
  return unless_made(worked, "rotate", expected);
}

std::string fault_of_grayscale(const Worked& worked) {
  return unless_made(worked, "grayscale", halves(kDark, kBright, CV_8UC1));
}

std::string fault_of_normalise(const Worked& worked) {
  return unless_made(worked, "normalise", halves(0, 255));
}

std::string fault_of_equalise(const Worked& worked) {
  return unless_made(worked, "equalise", halves(0, 255));
}

/// 1, 4, 6, 4 and 1 sixteenths.
std::string fault_of_blur(const Worked& worked) {
  cv::Mat expected = halves(kDark, kBright);
  int column = kWidth / 2 - 2;
  for (const int sixteenths : {1, 5, 11, 15}) {
    const int grey = kDark + (kBright - kDark) * sixteenths / 16;
    expected.col(column++).setTo(cv::Scalar::all(grey));
  }
  return unless_made(worked, "blur", expected);
}

/// What this process draws by the same lot.
std::string fault_of_augment(const Worked& worked) {
  const auto kind = augment_operation();
  const auto options = Options::parse(kind.name, kind.options, "");
  const auto made = (*kind.make(*options, ImageLimits{}))->apply(halves(kDark, kBright), 0);
  return unless_made(worked, "augment", *made);
}

std::string fault_of_edit(const Worked& worked) {
  return unless_made(worked, "edit", halves(kDark, kBright, CV_8UC1));
}

}  // namespace

std::span<const SelfTest> self_tests_of_edits() {
  constexpr auto kJpeg = ImageFormat::jpeg;
  static constexpr std::array<SelfTest, 10> kTests{{
      {"resize", kJpeg, "one grey, 640x160", draw_strip, fault_of_resize},
      {"crop", kJpeg, "one grey, 32x32", draw_middle, fault_of_crop},
      {"flip", kJpeg, "bright left of dark", draw_halves, fault_of_flip},
      {"rotate", kJpeg, "bright above dark", draw_halves, fault_of_rotate},
      {"grayscale", kJpeg, "two greys in one channel", draw_halves, fault_of_grayscale},
      {"normalise", kJpeg, "black left of white", draw_halves, fault_of_normalise},
      {"equalise", kJpeg, "black left of white", draw_halves, fault_of_equalise},
      {"blur", kJpeg, "two greys with four between them", draw_halves, fault_of_blur},
      {"augment", kJpeg, "what the same lot gives elsewhere", draw_halves, fault_of_augment},
      {"edit", kJpeg, "two greys in one channel", draw_halves, fault_of_edit},
  }};
  return kTests;
}

}  // namespace framefleet::worker
