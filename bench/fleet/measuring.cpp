#include "bench/fleet/measuring.hpp"

#include <algorithm>

namespace framefleet::bench {

void Meter::begin() {
  for (auto& each : watched_) each.before = spending_of(each.pid);
}

std::vector<ProcessFigures> Meter::end(std::uint64_t tasks) const {
  std::vector<ProcessFigures> all;
  for (const auto& each : watched_) {
    const auto now = spending_of(each.pid);
    auto found = std::find_if(all.begin(), all.end(),
                              [&](const auto& one) { return one.process == each.process; });
    if (found == all.end()) found = all.insert(all.end(), ProcessFigures{each.process});
    found->cpu_us += 1e6 * (now.cpu_s - each.before.cpu_s) / static_cast<double>(tasks);
    found->peak_bytes += now.peak_bytes;
  }
  return all;
}

const ProcessFigures* RunFigures::broker() const {
  const auto found = std::find_if(processes.begin(), processes.end(),
                                  [](const auto& each) { return each.process == "broker"; });
  return found == processes.end() ? nullptr : &*found;
}

double RunFigures::cpu_us() const {
  double sum = 0;
  for (const auto& each : processes) sum += each.cpu_us;
  return sum;
}

std::uint64_t RunFigures::peak_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& each : processes) sum += each.peak_bytes;
  return sum;
}

}  // namespace framefleet::bench
