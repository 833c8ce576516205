#pragma once
// Starting a program of the worker's (mostly itself again) as a linked process whose environment is
// OpenCV's limits and nothing else.

#include "worker/decoding/image_gate.hpp"

#include "shared/processes/linked_process.hpp"

#include <string>

namespace framefleet::worker {

/// `word`: the private argument that tells it what it is. Errors: the system cannot start it.
Result<LinkedProcess, Error> start_limited(const std::string& program, const char* word,
                                           const ImageLimits& limits);

}  // namespace framefleet::worker
