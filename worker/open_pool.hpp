#pragma once
// Opens the pool that a worker's options describe. Threads: one, and before any other exists.

#include "worker/options.hpp"
#include "worker/pool/pool.hpp"

#include "shared/base/result.hpp"

#include <memory>

namespace framefleet::worker {

/// `options.pool.slots` slots, in which `options.detectors` (with their options) are warm. Errors:
/// 66 a program beside this one is missing; 70 the system cannot start processes.
Result<std::unique_ptr<Pool>, Error> open_pool(WorkerOptions options);

}  // namespace framefleet::worker
