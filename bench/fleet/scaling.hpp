#pragma once
// How the fleet's pace changes with the number of its workers and of its sources, each of them a
// connection of its own: in every round a fresh fleet of each size. Threads: one.

#include "shared/base/result.hpp"

#include <cstdint>
#include <functional>
#include <vector>

#include "bench/figures/verdict.hpp"
#include "bench/fleet/contestant.hpp"
#include "bench/fleet/options.hpp"

namespace framefleet::bench {

inline constexpr std::uint64_t kScalingBytes = 1024;

enum class Axis : std::uint8_t { workers, sources };
/// "scale, workers"
const char* to_string(Axis axis);

struct FleetSize {
  Axis axis{Axis::workers};
  std::uint64_t workers{0};
  std::uint64_t sources{0};
};

struct ScalePoint {
  FleetSize size;
  std::vector<RunFigures> runs;  ///< One a round.
};

struct ScaleFigures {
  std::vector<ScalePoint> points;
  /// By the rounds' own ratios.
  Verdict verdict() const;
};

/// Those that --crowd allows: 1, 4, 64, 1000 workers with one source, and 10, 100, 1000 sources
/// with four workers.
std::vector<FleetSize> fleet_sizes(std::uint64_t crowd);

/// Takes the open files that so many connections need, for this program and all that it starts; the
/// broker needs no more. Errors: 78 the machine does not allow it.
Result<void, Error> make_room_for(std::uint64_t connections);

/// `told` hears of each run as it ends.
using ScaleTold = std::function<void(const FleetSize&, std::uint32_t round, const RunFigures&)>;
/// Errors: the first run that failed or whose counts do not close. Requires: there is room.
Result<ScaleFigures, Error> measure_scaling(const BenchOptions& options, const ScaleTold& told);

}  // namespace framefleet::bench
