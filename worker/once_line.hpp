#pragma once
// What a worker without a fleet says about one picture: a line of JSON, whose fields are those of
// results.ndjson. Pure.

#include "worker/detectors/workbench.hpp"

#include "shared/base/result.hpp"
#include "shared/base/task.hpp"
#include "shared/base/time.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace framefleet::worker {

/// `files`: where each of the artefacts was written, in their order; "" where it was not.
std::string once_line(const TaskDescription& task, std::uint64_t sequence,
                      const Result<Worked, WorkError>& result, Duration worked,
                      const std::vector<std::string>& files);

}  // namespace framefleet::worker
