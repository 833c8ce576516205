#pragma once
// Asks a process's window (http_server.hpp) from outside: is it ready, is its loop turning.
// Bounded: at most 8 KiB of an answer, one deadline for each of its steps. Threads: any; nothing
// is shared.

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

#include <string>

namespace framefleet::telemetry {

struct ProbeAnswer {
  int status{0};  ///< Of HTTP: 200, 503.
  std::string text;
};

/// GET of `path` ("/readyz") at `address`, HOST:PORT. `timeout` is for connecting, and again for
/// each read. Errors: 64 where the address is none, 69 where nobody answers there in time.
Result<ProbeAnswer, Error> probe(const std::string& address, const std::string& path,
                                 Duration timeout);

}  // namespace framefleet::telemetry
