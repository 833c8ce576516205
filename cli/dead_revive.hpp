#pragma once
// Tries dead letters again: fetches each one's picture from the store and submits it as a new task
// (`revived_from` names the old one), as a producer of this process whose source nobody else has.
// Waits until each is settled and says what became of it. Threads: one. Errors: those of
// OperatorClient; what concerns one letter alone is told and does not stop the others.

#include "cli/operator_options.hpp"

#include "shared/base/result.hpp"
#include "shared/base/task_id.hpp"

#include <vector>

namespace framefleet::cli {

struct ReviveOptions {
  std::vector<TaskId> tasks;
  bool all{false};   ///< In their place: every dead letter with a picture that was not revived yet.
  bool json{false};  ///< One object per task instead of a line for people.
};

/// The exit code: 3 when one did not end `ok`, or could not be submitted while others could.
Result<int, Error> revive_dead_letters(const OperatorOptions& options, ReviveOptions revive);

}  // namespace framefleet::cli
