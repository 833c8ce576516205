#pragma once
// What was wanted of a figure, and whether it holds: one line, which a miss is never left out of.
// Pure; threads: any.

#include <cstdint>
#include <optional>
#include <string>

namespace framefleet::bench {

enum class Bound : std::uint8_t { at_least, at_most };

struct Target {
  std::string workload;  ///< "queue"
  std::string what;      ///< "tasks/s / redis"
  Bound bound{Bound::at_least};
  double value{0};
};

struct Verdict {
  Target target;
  std::optional<double> measured;  ///< Nothing: who it is compared with did not run.

  bool met() const;
  /// "MISS queue: tasks/s / redis is 0.21, wanted at least 1.20"
  std::string line() const;
};

}  // namespace framefleet::bench
