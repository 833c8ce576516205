#include "bench/figures/verdict.hpp"

#include <fmt/format.h>

namespace framefleet::bench {

bool Verdict::met() const {
  if (!measured) return false;
  return target.bound == Bound::at_least ? *measured >= target.value : *measured <= target.value;
}

std::string Verdict::line() const {
  const char* bound = target.bound == Bound::at_least ? "at least" : "at most";
  if (!measured) {
    return fmt::format("open {}: {} was not measured, wanted {} {:.2f}", target.workload,
                       target.what, bound, target.value);
  }
  return fmt::format("{} {}: {} is {:.2f}, wanted {} {:.2f}", met() ? "met " : "MISS",
                     target.workload, target.what, *measured, bound, target.value);
}

}  // namespace framefleet::bench
