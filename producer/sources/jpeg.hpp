#pragma once
// Internal: a picture of OpenCV as JPEG bytes. Threads: any. Errors: the reason as text.

#include "shared/base/result.hpp"

#include <opencv2/core.hpp>

#include <string>

namespace framefleet::producer {

/// `quality` from 1 to 100.
Result<std::string, std::string> encode_jpeg(const cv::Mat& picture, int quality);

}  // namespace framefleet::producer
