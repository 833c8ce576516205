#pragma once
// Assertions that stay on in every build: a broken invariant is our bug, and a process that dies
// with a message is safer than one that goes on with a wrong ledger.

namespace framefleet {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace framefleet

#define FRAMEFLEET_ASSERT(expression)  \
  ((expression) ? static_cast<void>(0) \
                : ::framefleet::assertion_failed(#expression, __FILE__, __LINE__))
