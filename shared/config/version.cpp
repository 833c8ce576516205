#include "shared/config/version.hpp"

#if defined(__clang__)
#define FRAMEFLEET_COMPILER "Clang " __clang_version__
#else
#define FRAMEFLEET_COMPILER "GCC " __VERSION__
#endif

namespace framefleet::config {

std::string_view version() { return FRAMEFLEET_VERSION; }

std::string_view build() { return FRAMEFLEET_COMPILER ", " FRAMEFLEET_BUILD_TYPE; }

}  // namespace framefleet::config
