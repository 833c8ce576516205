#pragma once
// corners: points that can be found again, by Shi and Tomasi or by Harris.

#include "worker/detectors/registry.hpp"

namespace framefleet::worker {

DetectorKind corners_kind();

}  // namespace framefleet::worker
