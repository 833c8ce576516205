#include "worker/detectors/annotate.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "worker/detectors/mat.hpp"

#include <fmt/format.h>

#include <opencv2/imgproc.hpp>

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
  static const std::array<Entry, 5> kColours{{
      {"faces", {80, 220, 60}},
      {"people", {40, 170, 255}},
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
  return {std::clamp(side / 1200.0, 0.4, 3.0),
          std::clamp(static_cast<int>(std::lround(side / 500.0)), 1, 8),
          std::clamp(static_cast<int>(std::lround(side / 250.0)), 2, 12)};
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

void write_caption(cv::Mat& canvas, const std::string& text, const cv::Rect& box,
                   const cv::Scalar& colour, const Pen& pen) {
  constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
  int below = 0;
  const int stroke = std::max(1, static_cast<int>(std::lround(pen.font_scale * 1.5)));
  const cv::Size size = cv::getTextSize(text, kFont, pen.font_scale, stroke, &below);
  const int gap = pen.line + 3;
  const bool above = box.y >= size.height + gap;
  const int y = above ? box.y - gap : box.y + size.height + gap;  // Inside, where the top is near.
  const int x = std::clamp(box.x, 0, std::max(0, canvas.cols - size.width));
  const cv::Point at(x, y);
  cv::putText(canvas, text, at, kFont, pen.font_scale, kDark, stroke + 3, cv::LINE_AA);
  cv::putText(canvas, text, at, kFont, pen.font_scale, colour, stroke, cv::LINE_AA);
}

void draw_boxes(cv::Mat& canvas, const Layer& layer, const Pen& pen) {
  const cv::Scalar colour = colour_of(layer.detector);
  std::size_t boxes = 0;
  std::size_t points = 0;
  for (const auto& detection : layer.detections) {
    const cv::Rect box = on_canvas(detection.box, canvas);
    if (box.empty()) continue;
    if (detection.box.width <= kPointSide && detection.box.height <= kPointSide) {
      if (++points > kPointsMax) continue;
      const cv::Point centre(box.x + box.width / 2, box.y + box.height / 2);
      cv::circle(canvas, centre, pen.radius + 1, kDark, 1, cv::LINE_AA);
      cv::circle(canvas, centre, pen.radius, colour, 1, cv::LINE_AA);
      continue;
    }
    if (++boxes > kBoxesMax) continue;
    cv::rectangle(canvas, box, kDark, pen.line + 2);
    cv::rectangle(canvas, box, colour, pen.line);
    write_caption(canvas, caption(detection), box, colour, pen);
  }
}

/// Half the picture, half the colour, where the mask is lit.
void tint(cv::Mat& canvas, const Plane& mask, const cv::Scalar& colour) {
  const std::array<int, 3> half{static_cast<int>(colour[0]) / 2, static_cast<int>(colour[1]) / 2,
                                static_cast<int>(colour[2]) / 2};
  for (int y = 0; y < mask.height; ++y) {
    const std::uint8_t* lit = mask.pixels + static_cast<std::size_t>(y) * mask.stride;
    auto* row = canvas.ptr<cv::Vec3b>(y);
    for (int x = 0; x < mask.width; ++x) {
      if (lit[x] == 0) continue;
      for (int c = 0; c < 3; ++c) {
        row[x][c] = static_cast<std::uint8_t>(row[x][c] / 2 + half[static_cast<std::size_t>(c)]);
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
  for (const auto& layer : layers) {  // Tints first: boxes and captions stay readable.
    if (layer.mask) tint(canvas, layer.mask, colour_of(layer.detector));
  }
  for (const auto& layer : layers) {
    if (!layer.mask) draw_boxes(canvas, layer, pen);
  }
  return encoder_.encode(canvas_.plane(), kQuality);
}

}  // namespace framefleet::worker
