#pragma once
// Networks by ONNX Runtime, on the CPU and in the calling thread: two to four times as fast as
// OpenCV's, where the build has found the library (Debian 13 has it, Debian 12 has not).

#include "worker/networks/network.hpp"

namespace framefleet::worker {

bool has_onnx_runtime();

/// As open_network; an error where the build has no ONNX Runtime, or the file is not ONNX.
Result<std::unique_ptr<Network>, std::string> open_onnx_network(const NetworkBytes& bytes);

}  // namespace framefleet::worker
