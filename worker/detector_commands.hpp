#pragma once
// What a worker's binary can tell about its detectors without a fleet: --list-detectors and
// --check-detectors.

#include "worker/options.hpp"

#include "shared/base/result.hpp"

namespace framefleet::worker {

/// One of the two was asked for.
bool only_about_detectors(const WorkerOptions& options);

/// Prints the list, or checks; 64 names the detector or option that does not exist, 66 a file that
/// is missing.
Result<int, Error> run_detector_command(const WorkerOptions& options);

}  // namespace framefleet::worker
