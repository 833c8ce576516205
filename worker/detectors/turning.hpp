#pragma once
// Turning a picture by any angle around its middle. Internal to worker/detectors.

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace framefleet::worker {

struct Turning {
  int interpolation{cv::INTER_LINEAR};
  int border{cv::BORDER_CONSTANT};
  int fill{0};  ///< Of a constant border.
};

/// Whole numbers: the smallest picture that holds one of this size, turned by so many degrees.
cv::Size2d size_of_turned(cv::Size size, double degrees);

/// Counter-clockwise, into the middle of a picture of `size`. Multiples of 90 degrees move pixels
/// and make none, where that size is the one that they need.
void turn(const cv::Mat& from, cv::Mat& to, double degrees, cv::Size size, const Turning& turning);

}  // namespace framefleet::worker
