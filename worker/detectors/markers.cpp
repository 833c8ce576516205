#include "worker/detectors/markers.hpp"

#include "worker/detectors/aruco.hpp"
#include "worker/detectors/mat.hpp"

#include "shared/base/assert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace framefleet::worker {
namespace {

struct Dictionary {
  std::string_view name;
  int number;
};
constexpr std::array<Dictionary, 9> kDictionaries{{
    {"4x4_1000", cv::aruco::DICT_4X4_1000},
    {"4x4_250", cv::aruco::DICT_4X4_250},
    {"4x4_50", cv::aruco::DICT_4X4_50},
    {"5x5_1000", cv::aruco::DICT_5X5_1000},
    {"6x6_250", cv::aruco::DICT_6X6_250},
    {"6x6_1000", cv::aruco::DICT_6X6_1000},
    {"7x7_1000", cv::aruco::DICT_7X7_1000},
    {"original", cv::aruco::DICT_ARUCO_ORIGINAL},
    {"apriltag_36h11", cv::aruco::DICT_APRILTAG_36h11},
}};

Box around(const MarkerQuad& quad) {
  float left = quad[0].x;
  float right = left;
  float top = quad[0].y;
  float bottom = top;
  for (const auto& corner : quad) {
    left = std::min(left, corner.x);
    right = std::max(right, corner.x);
    top = std::min(top, corner.y);
    bottom = std::max(bottom, corner.y);
  }
  return {left, top, right - left, bottom - top};
}

class Markers final : public Detector {
 public:
  explicit Markers(int dictionary) : finder_(dictionary) {}

  Result<Found, DetectError> detect(const DetectInput& input) override {
    std::vector<MarkerQuad> quads;
    std::vector<int> ids;
    finder_.find(as_mat(input.picture.grey), quads, ids);
    Found found;
    for (std::size_t i = 0; i < quads.size(); ++i) {
      const MarkerQuad& quad = quads[i];
      found.detections.push_back(
          {"marker", 1, around(quad),
           fmt::format(R"({{"id":{},"corners":[[{:.1f},{:.1f}],[{:.1f},{:.1f}],)"
                       R"([{:.1f},{:.1f}],[{:.1f},{:.1f}]]}})",
                       ids[i], quad[0].x, quad[0].y, quad[1].x, quad[1].y, quad[2].x, quad[2].y,
                       quad[3].x, quad[3].y)});
    }
    return found;
  }

 private:
  MarkerFinder finder_;
};

Result<std::unique_ptr<Detector>, Error> make(const Options& options, const DetectorSettings&) {
  const auto* const dictionary = std::find_if(
      kDictionaries.begin(), kDictionaries.end(),
      [&](const Dictionary& each) { return each.name == options.choice("dictionary"); });
  FRAMEFLEET_ASSERT(dictionary != kDictionaries.end());
  return std::make_unique<Markers>(dictionary->number);
}

}  // namespace

DetectorKind markers_kind() {
  std::vector<std::string_view> names;
  for (const auto& dictionary : kDictionaries) names.push_back(dictionary.name);
  return {"markers",
          1,
          "ArUco markers; extra has the marker's id and its corners, clockwise from its top left",
          {{"dictionary", OptionType::choice, "4x4_1000", 0, 0, "", std::move(names),
            "which set of markers; the synthetic camera draws 4x4_1000"}},
          make};
}

}  // namespace framefleet::worker
