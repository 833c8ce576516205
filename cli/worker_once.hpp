#pragma once
// framefleet-worker, looking at pictures in files once (worker/once.hpp), as a child of this
// program. Threads: one. Errors: those of the worker, with its words and exit code; 70 where it
// ends by a signal, cannot be started or says something that is not understood.

#include "cli/child_output.hpp"

#include "shared/base/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace framefleet::cli {

struct WorkerOnce {
  std::vector<std::string> pictures;
  std::vector<std::string> detect;
  std::filesystem::path annotated;  ///< "": none; the others likewise.
  std::filesystem::path made;
  std::filesystem::path second;
  std::filesystem::path models;
  std::vector<std::string> formats{"jpeg", "png", "webp"};
  bool isolated{true};   ///< False: in the worker itself.
  bool one_slot{false};  ///< One picture after the other; else as many at once as there are CPUs.
};

/// Runs it to its end, and gives `take` each line of JSON as it comes; an error of `take` ends it.
/// The answer is its exit code, 0 or 3.
Result<int, Error> run_worker(const WorkerOnce& once, const TakeLine& take);

}  // namespace framefleet::cli
