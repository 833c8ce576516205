#include "worker/detectors/annotate.hpp"

#include "worker/detectors/mat.hpp"

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

namespace framefleet::worker {
namespace {

constexpr int kQuality = 90;
/// A box no wider than this is a point: a circle around it is easier to see.
constexpr float kPointSide = 3;
/// Boxes drawn per detector; more would hide the picture. The surest come first.
constexpr std::size_t kBoxesMax = 200;
constexpr std::size_t kPointsMax = 5000;

const cv::Scalar kDark(24, 24, 24);

/// Colours that stand apart from each other and from most pictures (BGR).
cv::Scalar colour_of(std::string_view detector) {
  struct Entry {
    std::string_view detector;
    cv::Scalar colour;
  };
  static const std::array<Entry, 7> kColours{{
      {"faces", {80, 220, 60}},
      {"people", {40, 170, 255}},
      {"objects", {230, 120, 40}},
      {"recognise", {80, 220, 60}},
      {"edges", {255, 200, 0}},
      {"corners", {60, 60, 255}},
      {"markers", {255, 80, 220}},
  }};
  for (const auto& entry : kColours) {
    if (entry.detector == detector) return entry.colour;
  }
  return {255, 255, 255};
}

struct Pen {
  double font_scale;
  int line;
  int radius;
};

Pen pen_for(const cv::Size& size) {
  const double side = std::max(size.width, size.height);
  return {std::clamp(side / 1200.0, 0.5, 3.0),
          std::clamp(static_cast<int>(std::lround(side / 500.0)), 2, 8),
          std::clamp(static_cast<int>(std::lround(side / 250.0)), 3, 12)};
}

bool is_point(const Detection& detection) {
  return detection.box.width <= kPointSide && detection.box.height <= kPointSide;
}

cv::Rect on_canvas(const Box& box, const cv::Mat& canvas) {
  const cv::Rect rect(static_cast<int>(std::lround(box.x)), static_cast<int>(std::lround(box.y)),
                      static_cast<int>(std::lround(box.width)),
                      static_cast<int>(std::lround(box.height)));
  return rect & cv::Rect({0, 0}, canvas.size());
}

/// "face 12" for counts, "person 0.87" for shares and margins, "marker 7" by its id.
std::string caption(const Detection& detection) {
  constexpr std::string_view id = R"({"id":)";
  if (detection.extra.starts_with(id)) {
    const auto end = detection.extra.find_first_not_of("0123456789", id.size());
    return detection.label + " " + detection.extra.substr(id.size(), end - id.size());
  }
  const double score = detection.score;
  if (score == std::floor(score)) return fmt::format("{} {:.0f}", detection.label, score);
  return fmt::format("{} {:.2f}", detection.label, score);
}

/// Letters in the detector's colour on a dark plate above the box, or inside it at the upper edge.
void write_caption(cv::Mat& canvas, const std::string& text, const cv::Rect& box,
                   const cv::Scalar& colour, const Pen& pen) {
  constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
  const int stroke = std::max(1, static_cast<int>(std::lround(pen.font_scale * 1.5)));
  const int margin = stroke + 2;
  int below = 0;
  const cv::Size size = cv::getTextSize(text, kFont, pen.font_scale, stroke, &below);
  const int height = size.height + below + 2 * margin;
  const int width = size.width + 2 * margin;
  const int top = box.y >= height ? box.y - height : box.y;
  const int left = std::clamp(box.x, 0, std::max(0, canvas.cols - width));
  cv::rectangle(canvas, cv::Rect(left, top, width, height), kDark, cv::FILLED);
  cv::putText(canvas, text, {left + margin, top + margin + size.height}, kFont, pen.font_scale,
              colour, stroke, cv::LINE_AA);
}

void draw_points(cv::Mat& canvas, const Layer& layer, const Pen& pen) {
  const cv::Scalar colour = colour_of(layer.detector);
  std::size_t drawn = 0;
  for (const auto& detection : layer.detections) {
    const cv::Rect box = on_canvas(detection.box, canvas);
    if (box.empty() || !is_point(detection)) continue;
    if (++drawn > kPointsMax) return;
    const cv::Point centre(box.x + box.width / 2, box.y + box.height / 2);
    cv::circle(canvas, centre, pen.radius + 1, kDark, 1, cv::LINE_AA);
    cv::circle(canvas, centre, pen.radius, colour, 1, cv::LINE_AA);
  }
}

/// Calls draw(detection, box) for the boxes of a layer that are on the canvas, as many as it may
/// show: the surest last, so that nothing lies over it.
template <class Draw>
void for_each_box(const cv::Mat& canvas, const Layer& layer, const Draw& draw) {
  std::vector<std::pair<const Detection*, cv::Rect>> boxes;
  for (const auto& detection : layer.detections) {
    const cv::Rect box = on_canvas(detection.box, canvas);
    if (box.empty() || is_point(detection)) continue;
    if (boxes.size() == kBoxesMax) break;
    boxes.emplace_back(&detection, box);
  }
  for (auto each = boxes.rbegin(); each != boxes.rend(); ++each) draw(*each->first, each->second);
}

/// A quarter of the picture, three of the colour, where the mask is lit.
void tint(cv::Mat& canvas, const Plane& mask, const cv::Scalar& colour) {
  cv::Vec3b most;
  for (int c = 0; c < 3; ++c) most[c] = static_cast<std::uint8_t>(colour[c] * 0.75);
  for (int y = 0; y < mask.height; ++y) {
    const std::uint8_t* lit = mask.pixels + static_cast<std::size_t>(y) * mask.stride;
    auto* row = canvas.ptr<cv::Vec3b>(y);
    for (int x = 0; x < mask.width; ++x) {
      if (lit[x] == 0) continue;
      for (int c = 0; c < 3; ++c) {
        row[x][c] = static_cast<std::uint8_t>(row[x][c] / 4 + most[c]);
      }
    }
  }
}

}  // namespace

Result<std::string, Error> Annotator::draw(const Plane& bgr, std::span<const Layer> layers) {
  canvas_.reset(bgr.width, bgr.height, 3);
  cv::Mat canvas(bgr.height, bgr.width, CV_8UC3, canvas_.data());
  as_mat(bgr).copyTo(canvas);
  const Pen pen = pen_for(canvas.size());
  // From the back to the front: tints, points, boxes, and captions over all of them.
  for (const auto& layer : layers) {
    if (layer.mask) tint(canvas, layer.mask, colour_of(layer.detector));
  }
  for (const auto& layer : layers) {
    if (!layer.mask) draw_points(canvas, layer, pen);
  }
  for (const auto& layer : layers) {
    if (layer.mask) continue;
    for_each_box(canvas, layer, [&](const Detection&, const cv::Rect& box) {
      cv::rectangle(canvas, box, kDark, pen.line + 2);
      cv::rectangle(canvas, box, colour_of(layer.detector), pen.line);
    });
  }
  for (const auto& layer : layers) {
    if (layer.mask) continue;
    for_each_box(canvas, layer, [&](const Detection& detection, const cv::Rect& box) {
      write_caption(canvas, caption(detection), box, colour_of(layer.detector), pen);
    });
  }
  return encoder_.encode(canvas_.plane(), kQuality);
}

}  // namespace framefleet::worker
