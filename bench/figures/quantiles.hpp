#pragma once
// The middle and the tail of what was measured. Pure; threads: any.

#include <vector>

namespace framefleet::bench {

/// Of an even number of values the upper one of the two in the middle. Requires: at least one.
double median(std::vector<double> values);

/// By nearest rank: the smallest value that a share of at least `share` (0 to 1) of all is not
/// above. Requires: at least one value, sorted.
double quantile(const std::vector<double>& sorted, double share);

}  // namespace framefleet::bench
