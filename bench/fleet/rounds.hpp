#pragma once
// A workload measured: everybody in turn, round after round, so that a machine that changes its
// mind does so to all of them.

#include "shared/base/result.hpp"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/fleet/contestant.hpp"
#include "bench/fleet/options.hpp"
#include "bench/fleet/workload.hpp"

namespace framefleet::bench {

struct Standing {
  std::string name;
  std::vector<RunFigures> runs;  ///< One a round.
};

struct Standings {
  std::vector<Standing> all;                                ///< framefleet first.
  std::vector<std::pair<std::string, std::string>> absent;  ///< Who, and why.
};

/// `told` hears of each run as it ends: contestant, round, its figures.
using Told = std::function<void(const std::string&, std::uint32_t, const RunFigures&)>;

/// Errors: the first run that failed or whose counts do not close.
Result<Standings, Error> take_turns(const Workload& workload, const BenchOptions& options,
                                    const Told& told);

/// Of a run at this pace, or as many as the options say.
std::uint64_t tasks_at(double per_second, std::uint64_t bytes, const BenchOptions& options);

/// Median of the rounds' own ratios, ours to theirs. Requires: both have run, as often.
double ratio(const Standing& ours, const Standing& theirs, Measure measure);
/// Of a run: tasks per second, or microseconds.
double value_of(const RunFigures& run, Measure measure);

std::vector<Verdict> verdicts(const Workload& workload, const Standings& standings);

}  // namespace framefleet::bench
