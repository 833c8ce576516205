#pragma once
// How detectors are named on a command line: "faces?min_size=40&scale=1.1,edges". Pure text; what
// the names and options mean, only a worker knows.

#include <string>
#include <string_view>
#include <vector>

namespace framefleet {

/// Splits at commas; empty entries are left out.
std::vector<std::string> split_detectors(std::string_view list);

/// "faces?min_size=40" → "faces": what a task is routed by.
std::string_view detector_name(std::string_view spec);

/// The names of all, sorted, each once.
std::vector<std::string> detector_names(const std::vector<std::string>& specs);

}  // namespace framefleet
