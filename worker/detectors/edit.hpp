#pragma once
// The detectors that make a picture from the picture and find nothing: each operation by itself
// (resize, crop, …), and edit, which does several after each other.

#include "worker/detectors/registry.hpp"

#include <vector>

namespace framefleet::worker {

/// Every operation as a detector, and edit, in the order of docs/DETECTORS.md.
std::vector<DetectorKind> edit_kinds();

}  // namespace framefleet::worker
