#pragma once
// Names that never meet twice: for stores, runs and temporary things.
// Threads: any. Errors: none.

#include <string>

namespace framefleet::security {

/// A random (version 4) UUID of RFC 4122 in lower case, 36 characters.
std::string random_uuid();

}  // namespace framefleet::security
