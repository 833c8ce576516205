#pragma once
// faces: Haar and LBP cascades. Boxes are those of cv::CascadeClassifier on the grey picture.

#include "worker/detectors/registry.hpp"

namespace framefleet::worker {

DetectorKind faces_kind();

/// Every cascade that `faces` can be asked for and that is in the folder, for processes that will
/// not be able to open files.
CascadeFiles read_cascades(const std::string& folder);

}  // namespace framefleet::worker
