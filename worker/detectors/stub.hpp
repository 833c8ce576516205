#pragma once
// stub: finds the picture itself, and sleeps, fails, crashes or hangs on demand: for tests.

#include "worker/detectors/registry.hpp"

namespace framefleet::worker {

DetectorKind stub_kind();

}  // namespace framefleet::worker
