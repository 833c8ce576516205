#pragma once
// Planes as OpenCV sees them, and its rectangles as ours. Internal to worker/detectors: the only
// header here that names cv.

#include "worker/decoding/picture.hpp"

#include "shared/base/detection.hpp"

#include <opencv2/core.hpp>

namespace framefleet::worker {

/// A view: nothing is copied. OpenCV has no read-only Mat; detectors never write to their input.
inline cv::Mat as_mat(const Plane& plane) {
  return cv::Mat(plane.height, plane.width, CV_8UC(plane.channels),
                 const_cast<std::uint8_t*>(plane.pixels), plane.stride);
}

inline Plane as_plane(const cv::Mat& mat) {
  return Plane{mat.data, mat.cols, mat.rows, mat.channels(), mat.step};
}

inline Box as_box(const cv::Rect& rect) {
  return Box{static_cast<float>(rect.x), static_cast<float>(rect.y), static_cast<float>(rect.width),
             static_cast<float>(rect.height)};
}

}  // namespace framefleet::worker
