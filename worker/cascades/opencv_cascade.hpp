#pragma once
// cv::CascadeClassifier, for the cascades that are not looked through here.

#include "worker/cascades/cascade.hpp"

namespace framefleet::worker {

/// Null where the text is no cascade.
std::unique_ptr<Cascade> open_opencv_cascade(const std::string& text);

}  // namespace framefleet::worker
