#pragma once
// blend: the weighted sum of the picture and a second one that travels with the task, as a picture.

#include "worker/detectors/registry.hpp"

namespace framefleet::worker {

DetectorKind blend_kind();

}  // namespace framefleet::worker
