#include "bench/vision/contest.hpp"

#include <algorithm>

#include "bench/figures/quantiles.hpp"
#include "bench/vision/family.hpp"

namespace framefleet::bench {

void Contestant::run(double seconds) {
  const double before = family_cpu_seconds();
  const Pace pace = runner->run(seconds);
  const double cpu_s = family_cpu_seconds() - before - pace.start_cpu_s;
  cpu_ms.push_back(1e3 * cpu_s / static_cast<double>(pace.pictures));
  paces.push_back(pace.pictures_per_s);
  detections = std::max(detections, pace.detections);
}

void take_turns(std::vector<Contestant>& all, double seconds, int repetitions) {
  for (auto& each : all) each.runner->run(0);
  for (int round = 0; round < repetitions; ++round) {
    for (auto& each : all) each.run(seconds);
  }
}

double pace_ratio(const Contestant& one, const Contestant& other) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < one.paces.size(); ++i) {
    ratios.push_back(one.paces[i] / other.paces[i]);
  }
  return median(ratios);
}

}  // namespace framefleet::bench
