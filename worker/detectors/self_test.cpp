#include "worker/detectors/self_test.hpp"

#include "worker/decoding/encoder.hpp"
#include "worker/decoding/tiff_directory.hpp"
#include "worker/detectors/aruco.hpp"
#include "worker/detectors/mat.hpp"
#include "worker/detectors/registry.hpp"
#include "worker/detectors/self_test_made.hpp"

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace framefleet::worker {
namespace {

constexpr int kQuality = 90;
constexpr int kMarkerId = 23;

std::string encode(const cv::Mat& picture) {
  auto jpeg = JpegEncoder().encode(as_plane(picture), kQuality);
  return jpeg ? std::move(*jpeg) : std::string();  // an empty picture fails its test
}

/// One thread is enough for such pictures, and more would outlive the drawing.
void blur(cv::Mat& picture, double sigma) {
  cv::setNumThreads(1);
  cv::GaussianBlur(picture, picture, {0, 0}, sigma);
}

/// A box, and by how much each of its four numbers may differ.
struct About {
  Box box;
  float by;

  bool matches(const Box& other) const {
    const auto close = [this](float a, float b) { return std::abs(a - b) <= by; };
    return close(box.x, other.x) && close(box.y, other.y) && close(box.width, other.width) &&
           close(box.height, other.height);
  }
};

/// The detections, as a fault tells them.
std::string listed(const std::vector<Detection>& detections) {
  constexpr std::size_t kListedMax = 4;
  if (detections.empty()) return "nothing";
  std::string text;
  for (std::size_t i = 0; i < std::min(detections.size(), kListedMax); ++i) {
    const auto& [label, score, box, extra] = detections[i];
    text += fmt::format("{}{} {:.0f}x{:.0f} at {:.0f},{:.0f} with score {:.4g}{}{}",
                        i == 0 ? "" : "; ", label, box.width, box.height, box.x, box.y, score,
                        extra.empty() ? "" : " ", extra);
  }
  if (detections.size() > kListedMax) {
    text += fmt::format("; and {} more", detections.size() - kListedMax);
  }
  return text;
}

/// Exactly one detection, of this label, as sure as this and about there.
std::string unless_one(const Worked& worked, std::string_view label, float score_min,
                       const About& where) {
  const auto& found = worked.record.reports[0].detections;
  const bool right = found.size() == 1 && found[0].label == label && found[0].score >= score_min &&
                     where.matches(found[0].box);
  return right ? std::string() : listed(found);
}

// --- edges, corners, stub: a bright rectangle ---------------------------------------------------

constexpr int kWidth = 128;
constexpr int kHeight = 96;
constexpr Box kRectangle{32, 24, 64, 48};

cv::Mat rectangle() {
  cv::Mat picture(kHeight, kWidth, CV_8UC3, cv::Scalar(90, 60, 30));
  cv::rectangle(picture, cv::Rect(32, 24, 64, 48), cv::Scalar(60, 220, 230), cv::FILLED);
  return picture;
}

std::vector<std::string> draw_rectangle() { return {encode(rectangle())}; }

/// As BMP and TIFF have their numbers: the lowest byte first.
void put(std::string& out, std::size_t bytes, std::uint32_t number) {
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(number >> (8 * i) & 0xFFU);
}

std::string bytes_of(const cv::Mat& pixels) { return {pixels.datastart, pixels.dataend}; }

std::vector<std::string> rectangle_as_bmp() {
  constexpr std::uint32_t kHeaders = 14 + 40;
  cv::Mat rows;
  cv::flip(rectangle(), rows, 0);  // the lowest first
  const auto pixels = bytes_of(rows);
  std::string bmp = "BM";
  for (const std::uint32_t number :
       {kHeaders + static_cast<std::uint32_t>(pixels.size()), 0U, kHeaders, kHeaders - 14,
        static_cast<std::uint32_t>(kWidth), static_cast<std::uint32_t>(kHeight)}) {
    put(bmp, 4, number);
  }
  put(bmp, 2, 1);
  put(bmp, 2, 24);                          // bits of a pixel
  bmp.append(kHeaders - bmp.size(), '\0');  // not packed
  return {bmp + pixels};
}

std::vector<std::string> rectangle_as_tiff() {
  constexpr std::uint32_t kShort = 3;
  constexpr std::uint32_t kEntries = 9;
  constexpr std::uint32_t kPixelsAt = 8 + 2 + kEntries * 12 + 4;
  cv::Mat grey;
  cv::cvtColor(rectangle(), grey, cv::COLOR_BGR2GRAY);
  std::string tiff = "II*";
  tiff += '\0';
  put(tiff, 4, 8);
  put(tiff, 2, kEntries);
  const std::array<std::array<std::uint32_t, 2>, kEntries> entries{
      {{tiff_tag::kWidth, kWidth},
       {tiff_tag::kHeight, kHeight},
       {tiff_tag::kBitsPerSample, 8},
       {tiff_tag::kCompression, 1},
       {tiff_tag::kPhotometric, 1},
       {tiff_tag::kStripOffsets, kPixelsAt},
       {tiff_tag::kSamplesPerPixel, 1},
       {tiff_tag::kRowsPerStrip, kHeight},
       {tiff_tag::kStripByteCounts, kWidth * kHeight}}};
  for (const auto& [tag, value] : entries) {
    put(tiff, 2, tag);
    put(tiff, 2, kShort);
    put(tiff, 4, 1);
    put(tiff, 4, value);
  }
  put(tiff, 4, 0);  // no other page
  return {tiff + bytes_of(grey)};
}

/// The same picture, made elsewhere: this program writes neither format.
constexpr auto kPng = std::to_array<std::uint8_t>({
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x60, 0x08, 0x02, 0x00, 0x00, 0x00, 0x5a, 0x18, 0xed,
    0x1e, 0x00, 0x00, 0x00, 0xb9, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0xed, 0xd1, 0x41, 0x0d, 0x00,
    0x20, 0x0c, 0x00, 0xb1, 0x29, 0x41, 0xc9, 0x94, 0x4c, 0x3b, 0x6f, 0x74, 0xe0, 0x02, 0xb2, 0xac,
    0xc9, 0x29, 0xb8, 0xc6, 0xca, 0xd2, 0xc7, 0xc2, 0x02, 0x00, 0x00, 0x04, 0x00, 0x80, 0x00, 0x00,
    0x10, 0x00, 0x00, 0x02, 0x00, 0x40, 0x00, 0x00, 0x08, 0x00, 0x00, 0x01, 0x00, 0x20, 0x00, 0x00,
    0x04, 0x00, 0x80, 0x00, 0x00, 0x50, 0x43, 0x80, 0xb3, 0xb3, 0x75, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc0, 0x04, 0x00, 0x01, 0x00, 0x20, 0x00,
    0x00, 0x04, 0x00, 0x80, 0x00, 0x00, 0x10, 0x00, 0x00, 0x02, 0x00, 0x40, 0x00, 0x00, 0x08, 0x00,
    0x00, 0x00, 0x2e, 0x00, 0x00, 0x20, 0x00, 0x00, 0x04, 0x00, 0x80, 0x9e, 0x77, 0x01, 0xd3, 0x36,
    0x3a, 0xe0, 0xbd, 0x2f, 0x49, 0x71, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42,
    0x60, 0x82,
});
constexpr auto kWebp = std::to_array<std::uint8_t>({
    0x52, 0x49, 0x46, 0x46, 0x32, 0x00, 0x00, 0x00, 0x57, 0x45, 0x42, 0x50, 0x56, 0x50, 0x38,
    0x4c, 0x25, 0x00, 0x00, 0x00, 0x2f, 0x7f, 0xc0, 0x17, 0x00, 0x0f, 0x70, 0x30, 0xee, 0xe3,
    0x98, 0xdf, 0x83, 0x67, 0xfe, 0xe3, 0x01, 0x4a, 0xdb, 0x36, 0x60, 0xf2, 0xff, 0xd3, 0x41,
    0xe5, 0x03, 0x45, 0xf4, 0x7f, 0x02, 0x9c, 0x20, 0xf1, 0xf7, 0xba, 0x0f, 0x00,
});
template <std::size_t N>
std::vector<std::string> as_frame(const std::array<std::uint8_t, N>& bytes) {
  return {std::string(bytes.begin(), bytes.end())};
}
std::vector<std::string> rectangle_as_png() { return as_frame(kPng); }
std::vector<std::string> rectangle_as_webp() { return as_frame(kWebp); }

std::string fault_of_edges(const Worked& worked) {
  const auto& found = worked.record.reports[0].detections;
  constexpr float kCircumference = 2 * (kRectangle.width + kRectangle.height);
  const bool right = found.size() == 2 && found[0].label == "edges" && found[1].label == "curve" &&
                     About{kRectangle, 4}.matches(found[1].box) &&
                     std::abs(found[1].score - kCircumference) <= kCircumference / 8;
  return right ? std::string() : listed(found);
}

std::string fault_of_corners(const Worked& worked) {
  const auto& found = worked.record.reports[0].detections;
  const auto is_near = [](float x, float y) {
    return [x, y](const Detection& each) {
      return each.label == "corner" && About{{x, y, 1, 1}, 3}.matches(each.box);
    };
  };
  constexpr float kRight = kRectangle.x + kRectangle.width;
  constexpr float kBottom = kRectangle.y + kRectangle.height;
  const auto strongest_end = found.begin() + std::min<std::ptrdiff_t>(std::ssize(found), 4);
  const auto has = [&](float x, float y) {
    return std::any_of(found.begin(), strongest_end, is_near(x, y));
  };
  const bool right = has(kRectangle.x, kRectangle.y) && has(kRight, kRectangle.y) &&
                     has(kRectangle.x, kBottom) && has(kRight, kBottom);
  return right ? std::string() : listed(found);
}

std::string fault_of_stub(const Worked& worked) {
  const auto& found = worked.record.reports[0].detections;
  const Detection expected{"stub", 1, {0, 0, kWidth, kHeight}, R"({"sequence":0,"attempt":1})"};
  return found == std::vector{expected} ? std::string() : listed(found);
}

// --- faces: a face as a child would draw it -----------------------------------------------------

/// So large that a model which may be given an eighth of it still finds it.
constexpr int kFaceEnlarged = 2;
constexpr About kFace{{63, 56, 279, 279}, 36};

/// Dozens of the cascade's windows agree on it, and on it alone.
std::vector<std::string> draw_face() {
  cv::Mat picture(200, 200, CV_8UC1, cv::Scalar(117));
  const auto oval = [&picture](int x, int y, int half_width, int half_height, int grey) {
    cv::ellipse(picture, {x, y}, {half_width, half_height}, 0, 0, 360, cv::Scalar(grey), cv::FILLED,
                cv::LINE_AA);
  };
  oval(100, 88, 82, 92, 59);    // hair
  oval(100, 100, 52, 86, 215);  // head
  for (const int x : {78, 122}) {
    oval(x, 81, 19, 9, 142);                                                          // socket
    oval(x, 81, 16, 5, 79);                                                           // eye
    cv::rectangle(picture, cv::Rect(x - 19, 65, 38, 6), cv::Scalar(99), cv::FILLED);  // brow
  }
  oval(100, 118, 13, 4, 79);   // shadow of the nose
  oval(100, 139, 18, 6, 122);  // mouth
  blur(picture, 4);
  cv::resize(picture, picture, {}, kFaceEnlarged, kFaceEnlarged, cv::INTER_LINEAR);
  return {encode(picture)};
}

/// Networks see all of the head, and say how sure they are and where its eyes are.
constexpr About kFaceOfNetwork{{90, 55, 218, 308}, 40};

std::string fault_of_faces(const Worked& worked) {
  const auto& found = worked.record.reports[0].detections;
  const bool network = !found.empty() && !found[0].extra.empty();
  return network ? unless_one(worked, "face", 0.5F, kFaceOfNetwork)
                 : unless_one(worked, "face", 10, kFace);
}

// --- objects: whatever the model knows ----------------------------------------------------------

/// What a model finds in a rectangle is its own affair, as long as it is an answer.
std::string fault_of_objects(const Worked& worked) {
  const auto& found = worked.record.reports[0].detections;
  const bool right = std::all_of(found.begin(), found.end(), [](const Detection& each) {
    const Box& box = each.box;
    return !each.label.empty() && each.score > 0 && each.score <= 1 && box.x >= 0 && box.y >= 0 &&
           box.x + box.width <= kWidth && box.y + box.height <= kHeight;
  });
  return right ? std::string() : listed(found);
}

// --- people: a silhouette -----------------------------------------------------------------------

constexpr About kPerson{{13, 8, 71, 142}, 20};

/// The classifier's margin is 6; it takes 0.3.
std::vector<std::string> draw_person() {
  cv::Mat picture(160, 96, CV_8UC3, cv::Scalar::all(142));
  const auto body = cv::Scalar::all(90);
  const auto shape = [&](const std::vector<cv::Point>& outline) {
    cv::fillPoly(picture, std::vector{outline}, body, cv::LINE_AA);
  };
  cv::ellipse(picture, {48, 27}, {6, 9}, 0, 0, 360, cv::Scalar::all(29), cv::FILLED, cv::LINE_AA);
  shape({{42, 34}, {54, 34}, {62, 43}, {68, 61}, {60, 80}, {36, 80}, {28, 61}, {34, 43}});
  for (const int side : {-1, 1}) {
    const auto at = [side](int x, int y) { return cv::Point(48 + side * x, y); };
    cv::line(picture, at(11, 45), at(14, 84), body, 6, cv::LINE_AA);   // arm
    shape({{48, 78}, at(12, 78), at(6, 131), at(2, 131)});             // leg
    cv::line(picture, at(4, 131), at(10, 131), body, 4, cv::LINE_AA);  // foot
  }
  blur(picture, 1.1);
  return {encode(picture)};
}

std::string fault_of_people(const Worked& worked) {
  return unless_one(worked, "person", 2, kPerson);
}

// --- markers ------------------------------------------------------------------------------------

constexpr About kMarker{{20, 20, 119, 119}, 4};

std::vector<std::string> draw_marker() {
  const cv::Mat marker = drawn_marker(cv::aruco::DICT_4X4_1000, kMarkerId, 120);
  cv::Mat picture(160, 160, CV_8UC1, cv::Scalar(255));
  marker.copyTo(picture(cv::Rect(20, 20, 120, 120)));
  return {encode(picture)};
}

std::string fault_of_markers(const Worked& worked) {
  const auto& found = worked.record.reports[0].detections;
  const bool named =
      found.size() == 1 && found[0].extra.rfind(fmt::format(R"({{"id":{},)", kMarkerId), 0) == 0;
  return named ? unless_one(worked, "marker", 1, kMarker) : listed(found);
}

// --- template: a part of the picture, looked for in it ------------------------------------------

/// At the blocks of a JPEG, so that both pictures lose the same.
const cv::Rect kPart(32, 48, 32, 32);

std::vector<std::string> draw_part_and_whole() {
  cv::Mat picture(kHeight, kWidth, CV_8UC3, cv::Scalar::all(120));
  cv::Mat part = picture(kPart);
  cv::rectangle(part, cv::Rect(6, 4, 12, 22), cv::Scalar::all(220), cv::FILLED);
  cv::circle(part, {22, 20}, 7, cv::Scalar::all(30), cv::FILLED);
  return {encode(picture), encode(part)};
}

std::string fault_of_template(const Worked& worked) {
  return unless_one(worked, "template", 0.95F, {as_box(kPart), 1});
}

// --- blend --------------------------------------------------------------------------------------

/// A picture of one grey that JPEG keeps exactly at this quality.
std::string flat(int grey) { return encode(cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(grey))); }

std::vector<std::string> draw_two_greys() { return {flat(62), flat(182)}; }

std::string fault_of_blend(const Worked& worked) {
  const auto& made = worked.record.artefacts;
  if (made != std::vector<Artefact>{{"blend", "jpg"}} || worked.artefacts.size() != 1) {
    return fmt::format("{} pictures", worked.artefacts.size());
  }
  return worked.artefacts[0] == flat(122) ? "" : "another picture";
}

constexpr std::string_view kOneRectangle = "the outline of one rectangle, 64x48 at 32,24";

}  // namespace

std::string SelfTest::name() const {
  if (format == ImageFormat::jpeg) return std::string(detector);
  return fmt::format("{} in {}", detector, word_of(format));
}

TaskDescription SelfTest::task() const {
  TaskDescription task;
  task.detect = {std::string(detector)};
  return task;
}

std::string SelfTest::fault_of(const Worked& worked) const {
  const auto& record = worked.record;
  if (record.damaged) return "a damaged picture";
  if (record.reports.size() != 1 || record.reports[0].detector != detector) {
    return "an answer that is not of this detector";
  }
  return fault(worked);
}

std::span<const SelfTest> self_tests() {
  static constexpr std::array<SelfTest, 9> kBeforeEdits{{
      {"faces", ImageFormat::jpeg, "one face, about 279x279 at 63,56", draw_face, fault_of_faces},
      {"people", ImageFormat::jpeg, "one person, 71x142 at 13,8", draw_person, fault_of_people},
      {"objects", ImageFormat::jpeg, "boxes within the picture, or none", draw_rectangle,
       fault_of_objects},
      {"recognise", ImageFormat::jpeg, "no face, or one within the picture", draw_rectangle,
       fault_of_objects},
      {"edges", ImageFormat::jpeg, kOneRectangle, draw_rectangle, fault_of_edges},
      {"corners", ImageFormat::jpeg, "the corners of a rectangle, 64x48 at 32,24", draw_rectangle,
       fault_of_corners},
      {"markers", ImageFormat::jpeg, "marker 23, 119x119 at 20,20", draw_marker, fault_of_markers},
      {"template", ImageFormat::jpeg, "one copy, 32x32 at 32,48", draw_part_and_whole,
       fault_of_template},
      {"blend", ImageFormat::jpeg, "a picture of one grey", draw_two_greys, fault_of_blend},
  }};
  static constexpr std::array<SelfTest, 5> kAfterEdits{{
      {"stub", ImageFormat::jpeg, "the picture, 128x96", draw_rectangle, fault_of_stub},
      {"edges", ImageFormat::png, kOneRectangle, rectangle_as_png, fault_of_edges},
      {"edges", ImageFormat::webp, kOneRectangle, rectangle_as_webp, fault_of_edges},
      {"edges", ImageFormat::bmp, kOneRectangle, rectangle_as_bmp, fault_of_edges},
      {"edges", ImageFormat::tiff, kOneRectangle, rectangle_as_tiff, fault_of_edges},
  }};
  static const std::vector<SelfTest> tests = [&] {
    std::vector<SelfTest> all(kBeforeEdits.begin(), kBeforeEdits.end());
    const auto edits = self_tests_of_edits();
    all.insert(all.end(), edits.begin(), edits.end());
    all.insert(all.end(), kAfterEdits.begin(), kAfterEdits.end());
    return all;
  }();
  return tests;
}

std::vector<SelfTest> self_tests_of(const std::vector<std::string>& detectors, FormatSet formats) {
  std::vector<SelfTest> chosen;
  for (const auto& test : self_tests()) {
    const bool offered =
        std::find(detectors.begin(), detectors.end(), test.detector) != detectors.end();
    const bool for_all = test.format != ImageFormat::jpeg;
    if ((offered || for_all) && formats.has(test.format)) chosen.push_back(test);
  }
  return chosen;
}

}  // namespace framefleet::worker
