#pragma once
// Ids of tasks on a command line, and questions about many of them: no message to the broker has
// more than fit into its header. Threads: one.

#include "cli/operator_client.hpp"

#include "shared/base/result.hpp"
#include "shared/base/task_id.hpp"

#include <string>
#include <vector>

namespace framefleet::cli {

/// Error: 64, naming the word that is no id.
Result<std::vector<TaskId>, Error> parse_tasks(const std::vector<std::string>& words);

/// `verb` for `tasks`, in as many questions as are needed; prints what the broker says of each.
/// Requires: there is a task (for some verbs none would mean all).
Result<int, Error> carry_out_for(const OperatorOptions& options, ControlVerb verb,
                                 const std::vector<TaskId>& tasks);

}  // namespace framefleet::cli
