#pragma once
// Several ways of doing the same work, in turn, and how their paces compare.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "bench/vision/runners.hpp"

namespace framefleet::bench {

struct Contestant {
  std::string name;
  std::size_t threads;
  std::unique_ptr<Runner> runner;
  std::vector<double> paces{};   ///< Pictures per second, of each repetition.
  std::vector<double> cpu_ms{};  ///< Of a picture.
  std::size_t detections{0};

  void run(double seconds);
};

/// One pass to get warm; then in every repetition all take their turn, for so many seconds each.
void take_turns(std::vector<Contestant>& all, double seconds, int repetitions);

/// The median of the ratios within each repetition, which a machine that changes its mind between
/// two of them does not move. Requires: both have run as often.
double pace_ratio(const Contestant& one, const Contestant& other);

}  // namespace framefleet::bench
