#pragma once
// faces: Haar and LBP cascades. Boxes are those of cv::CascadeClassifier on the grey picture.

#include "worker/detectors/registry.hpp"

namespace framefleet::worker {

DetectorKind faces_kind();

}  // namespace framefleet::worker
