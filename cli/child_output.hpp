#pragma once
// A program that is run to its end for what it prints. Threads: one, which waits for it.

#include "cli/child_process.hpp"

#include "shared/base/result.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace framefleet::cli {

struct Finished {
  ExitStatus status;
  std::string log;  ///< The end of its stderr.
};

using TakeLine = std::function<Result<void, Error>(const std::string&)>;

/// Gives `take` each line of its stdout as it comes, without what is longer than `line_bytes_max`;
/// an error of `take` ends the program. Errors: that one; 70 where the program cannot be run.
Result<Finished, Error> run_to_end(const Command& command, std::size_t line_bytes_max,
                                   const TakeLine& take);

}  // namespace framefleet::cli
