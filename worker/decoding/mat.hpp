#pragma once
// A plane as OpenCV sees it.

#include "worker/decoding/picture.hpp"

#include <opencv2/core.hpp>

namespace framefleet::worker {

/// A view: nothing is copied. OpenCV has no read-only Mat; nobody writes to it.
inline cv::Mat as_mat(const Plane& plane) {
  return cv::Mat(plane.height, plane.width, CV_8UC(plane.channels),
                 const_cast<std::uint8_t*>(plane.pixels), plane.stride);
}

}  // namespace framefleet::worker
