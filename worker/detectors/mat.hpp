#pragma once
// Planes as OpenCV sees them, and its rectangles as ours. Internal to worker/detectors: the only
// header here that names cv.

#include "worker/decoding/mat.hpp"

#include "shared/base/detection.hpp"

#include <opencv2/core.hpp>

namespace framefleet::worker {

inline Plane as_plane(const cv::Mat& mat) {
  return Plane{mat.data, mat.cols, mat.rows, mat.channels(), mat.step};
}

inline Box as_box(const cv::Rect& rect) {
  return Box{static_cast<float>(rect.x), static_cast<float>(rect.y), static_cast<float>(rect.width),
             static_cast<float>(rect.height)};
}

/// Pixels of the full picture for each of a plane's, 1 where it was decoded in full. From the sizes
/// themselves, because those of a plane are rounded up: what is at one edge of the plane is at that
/// edge of the picture, however it was turned.
struct Ratio {
  double x{1};
  double y{1};
};

inline Ratio full_to(const Picture& picture, const Plane& plane) {
  return {static_cast<double>(picture.width) / plane.width,
          static_cast<double>(picture.height) / plane.height};
}

/// A box found in a plane, in pixels of the full picture.
inline Box as_box(const cv::Rect& rect, Ratio ratio) {
  return Box{static_cast<float>(rect.x * ratio.x), static_cast<float>(rect.y * ratio.y),
             static_cast<float>(rect.width * ratio.x), static_cast<float>(rect.height * ratio.y)};
}

}  // namespace framefleet::worker
