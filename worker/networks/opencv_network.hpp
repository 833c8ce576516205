#pragma once
// Networks by OpenCV's DNN module, on the CPU and in the calling thread.

#include "worker/networks/network.hpp"

namespace framefleet::worker {

/// As open_network. Sets OpenCV to one thread, for the whole process.
Result<std::unique_ptr<Network>, std::string> open_opencv_network(const NetworkBytes& bytes);

/// What to do about a complaint of OpenCV's importer or its layers; "" where there is no advice.
std::string_view export_advice(std::string_view complaint);

}  // namespace framefleet::worker
