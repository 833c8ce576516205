#include "shared/security/sodium.hpp"

#include "shared/base/assert.hpp"

#include <sodium.h>

namespace framefleet::security {

void ensure_sodium() {
  static const int started = sodium_init();
  FRAMEFLEET_ASSERT(started >= 0);
}

}  // namespace framefleet::security
