#pragma once
// What a part says at its end. Plain values; threads: any.

#include "shared/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::bench {

struct Report {
  std::uint64_t tasks{0};
  std::int64_t begin_ns{0};        ///< Monotonic: of a producer, when it was told to go.
  std::int64_t end_ns{0};          ///< Of who sees the ends of tasks, when it saw the last.
  std::string fault;               ///< What does not close; "": all does.
  std::vector<double> latency_us;  ///< p50, p99, p99.9; empty: this part sees no ends.

  std::string text() const;
  static Result<Report, Error> from(std::string_view text);
};

/// p50, p99 and p99.9; nothing of nothing.
std::vector<double> tail_of(std::vector<double> values);

}  // namespace framefleet::bench
