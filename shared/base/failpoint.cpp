#include "shared/base/failpoint.hpp"

namespace framefleet {

// Alone in its file, so that a program which brings another definition does not take this one.
void failpoint(FailpointName /*here*/) noexcept {}

}  // namespace framefleet
