#pragma once
// One process in a plain loop against a fleet, over the same pictures: what `framefleet compare`
// measured, and what it says of it. Pure; threads: any; no errors.

#include "shared/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace framefleet::cli {

/// One run over all pictures.
struct TimedRun {
  Duration whole{};    ///< From the start of the first process to the end of the last.
  Duration working{};  ///< From the first picture that was done to the last.

  /// Pictures per second, the start not counted, and the first picture neither.
  double steady_rate(std::size_t pictures) const;
  /// Pictures per second of the whole run.
  double whole_rate(std::size_t pictures) const;
};

/// The rounds of both, in the order in which they took turns.
struct Comparison {
  std::size_t pictures{0};
  std::uint32_t workers{1};
  std::string detectors;
  std::vector<TimedRun> loop;
  std::vector<TimedRun> fleet;
};

struct Spread {
  double median{0};
  double low{0};
  double high{0};
};
/// Requires: at least one.
Spread spread_of(std::vector<double> values);

/// How many pictures it takes until the fleet, which starts later and works faster, has done more
/// than the loop: 0: at once; -1: never, because it is not faster.
double break_even(const Comparison& comparison);

/// Requires: rounds of both, as many, over at least two pictures. Several lines, each ended.
std::string render_comparison(const Comparison& comparison);
/// Requires: the same. One line, without its newline.
std::string render_comparison_json(const Comparison& comparison);

}  // namespace framefleet::cli
