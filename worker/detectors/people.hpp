#pragma once
// people: standing people of at least about 100 pixels, by HOG and OpenCV's own SVM.

#include "worker/detectors/registry.hpp"

namespace framefleet::worker {

DetectorKind people_kind();

}  // namespace framefleet::worker
