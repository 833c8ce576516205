#pragma once
// Which framefleet this is: said in hello, in --version, in the log's first line and in /metrics.

#include <string_view>

namespace framefleet::config {

/// "0.1.0": the version of the project.
std::string_view version();

/// How this binary was built: compiler and build type, "GCC 12.2.0, Release".
std::string_view build();

}  // namespace framefleet::config
