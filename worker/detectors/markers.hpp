#pragma once
// markers: ArUco markers with their numbers and corners.

#include "worker/detectors/registry.hpp"

namespace framefleet::worker {

DetectorKind markers_kind();

}  // namespace framefleet::worker
