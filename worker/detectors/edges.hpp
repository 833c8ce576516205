#pragma once
// edges: Canny's edge pixels, as a mask, a share of the picture, and the longest curves.

#include "worker/detectors/registry.hpp"

namespace framefleet::worker {

DetectorKind edges_kind();

}  // namespace framefleet::worker
