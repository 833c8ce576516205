#pragma once
// What operators are shown, as the JSON documents that a report carries (docs/OPERATIONS.md,
// "Operating"). Pure: rows in, text out. Keys are snake_case; durations are `_seconds` (real
// numbers), sizes `_bytes`; what is not known is null. Threads: any. Errors: none; text that is no
// UTF-8 is replaced.

#include "broker/core/status.hpp"

#include <string>
#include <vector>

namespace framefleet::broker {

/// One object: the fleet in one look.
std::string status_document(const FleetStatus& status);
/// `{"workers": […]}`, in the order given.
std::string workers_document(const std::vector<WorkerRow>& workers);
/// `{"draining": […]}`: names of workers that were asked to leave.
std::string draining_document(const std::vector<std::string>& workers);
/// `{"sources": […]}`, in the order given.
std::string sources_document(const std::vector<SourceRow>& sources);
/// `{"jobs": […]}`, in the order given.
std::string jobs_document(const std::vector<JobRow>& jobs);

}  // namespace framefleet::broker
