#include "worker/cascades/haar_search.hpp"

#include "worker/decoding/mat.hpp"

#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

#include <algorithm>

namespace framefleet::worker {
namespace {

/// Below this scale every second window is enough, in rows and columns (cv::CascadeClassifier).
constexpr float kEveryWindowScale = 2;
/// Windows agree whose sides are this part of their size from each other (likewise).
constexpr double kAgree = 0.2;

/// One box for windows that agree; within the plane.
std::vector<CascadeObject> agreed(const std::vector<CascadeObject>& windows, int neighbours,
                                  const Plane& plane) {
  std::vector<cv::Rect> boxes;
  boxes.reserve(windows.size());
  for (const auto& each : windows) boxes.emplace_back(each.x, each.y, each.width, each.height);
  std::vector<int> counts;
  cv::groupRectangles(boxes, counts, neighbours, kAgree);
  std::vector<CascadeObject> objects;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const cv::Rect box = boxes[i] & cv::Rect(0, 0, plane.width, plane.height);
    if (box.area() > 0) objects.push_back({box.x, box.y, box.width, box.height, counts[i]});
  }
  return objects;
}

}  // namespace

/// From the smallest object to the largest one. A limit counts where both sides have one.
std::vector<HaarSearch::Level> HaarSearch::levels(const Plane& grey,
                                                  const CascadeSearch& search) const {
  const bool limited = search.width_max > 0 && search.height_max > 0;
  std::vector<Level> found;
  for (double factor = 1;; factor *= search.scale) {
    const int width = cvRound(cascade_.width * factor);
    const int height = cvRound(cascade_.height * factor);
    if (width > grey.width || height > grey.height) return found;
    if (limited && (width > search.width_max || height > search.height_max)) return found;
    if (width < search.width_min || height < search.height_min) continue;
    const auto scale = static_cast<float>(factor);
    found.push_back({scale, cvRound(static_cast<float>(grey.width) / scale),
                     cvRound(static_cast<float>(grey.height) / scale),
                     scale >= kEveryWindowScale ? 1 : 2});
  }
}

/// Made anew only where pictures have another size than the one before.
WindowScan& HaarSearch::scan_for(const Level& level, const std::vector<Level>& levels) {
  const auto largest = std::find_if(levels.begin(), levels.end(), [&level](const Level& each) {
    return each.step == level.step;
  });
  const auto layout = IntegralLayout::of(largest->width, largest->height, level.step, kScanLanes);
  auto& scan = level.step == 1 ? every_ : second_;
  if (!scan || scan->layout() != layout) scan.emplace(cascade_, layout, registers_);
  return *scan;
}

/// Appends the windows of this size that are objects, as boxes of the whole plane.
void HaarSearch::look_at(const Level& level, WindowScan& scan, std::vector<CascadeObject>& found) {
  const auto scaled = [&level](int pixels) {
    return cvRound(static_cast<float>(pixels) * level.scale);
  };
  const int width = scaled(cascade_.width);
  const int height = scaled(cascade_.height);
  const int columns = level.width - cascade_.width + 1;
  images_.compute(pixels_.data(), static_cast<std::size_t>(level.width), level.width, level.height,
                  scan.layout());
  for (int y = 0; y <= level.height - cascade_.height; y += level.step) {
    windows_.clear();
    scan.row(images_, y, (columns + level.step - 1) / level.step, windows_);
    for (const int window : windows_) {
      found.push_back({scaled(window * level.step), scaled(y), width, height, 1});
    }
  }
}

std::vector<CascadeObject> HaarSearch::look(const Plane& grey, const CascadeSearch& search) {
  const auto levels = this->levels(grey, search);
  std::vector<CascadeObject> windows;
  for (const auto& level : levels) {
    pixels_.resize(static_cast<std::size_t>(level.width) * static_cast<std::size_t>(level.height));
    cv::Mat smaller(level.height, level.width, CV_8UC1, pixels_.data());
    cv::resize(as_mat(grey), smaller, smaller.size(), 1. / level.scale, 1. / level.scale,
               cv::INTER_LINEAR_EXACT);
    look_at(level, scan_for(level, levels), windows);
  }
  return agreed(windows, search.neighbours, grey);
}

}  // namespace framefleet::worker
