#pragma once
// What a task that waits costs the broker's memory: a fleet without workers is filled, and its
// broker's peak is compared before and after. Threads: one.

#include "shared/base/result.hpp"

#include <cstdint>

#include "bench/figures/verdict.hpp"
#include "bench/fleet/options.hpp"

namespace framefleet::bench {

struct BacklogFigures {
  std::uint64_t tasks{0};
  double bytes_per_task{0};  ///< Beside the payload: tables, texts, and what malloc adds.
  double per_second{0};      ///< Admitted.

  Verdict verdict() const;
};

/// How many will wait: --tasks, or a million, or as many as there is memory for. Errors: 78 there
/// is too little.
Result<std::uint64_t, Error> tasks_to_wait(const BenchOptions& options);

/// Errors: as above; not all were admitted.
Result<BacklogFigures, Error> measure_backlog(const BenchOptions& options);

}  // namespace framefleet::bench
