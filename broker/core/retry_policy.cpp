#include "broker/core/retry_policy.hpp"

#include <algorithm>
#include <cmath>

namespace framefleet::broker {

Verdict judge(Reason reason, Charges& charges, double jitter, const CoreOptions& options) {
  const auto retry = [&](std::uint16_t& used, std::uint16_t allowed) -> Verdict {
    ++used;
    if (used >= allowed) return {Verdict::What::give_up, {}};
    const double ceiling = std::min(static_cast<double>(options.retry_delay_max.count()),
                                    static_cast<double>(options.retry_delay_base.count()) *
                                        std::exp2(static_cast<double>(used - 1)));
    return {Verdict::What::again_later,
            Duration{static_cast<Duration::rep>(std::floor(ceiling * jitter))}};
  };
  switch (entry(reason).charge) {
    case Charge::nothing:
      return {Verdict::What::again_now, {}};
    case Charge::failed:
      return retry(charges.failed, options.failed_attempts_max);
    case Charge::lost:
      return retry(charges.lost, options.lost_attempts_max);
    case Charge::final:
    case Charge::answer:  // no honest worker sends it; better a dead letter than a loop
      return {Verdict::What::give_up, {}};
  }
  return {Verdict::What::give_up, {}};
}

double jitter_of(const TaskId& task, std::uint16_t attempt) {
  // SplitMix64's finaliser (Steele, Lea, Flood: "Fast splittable pseudorandom number generators",
  // 2014).
  // The hash of a task steps by 2^64 / golden ratio; attempts step by another odd number, or the
  // second attempt of a task would draw what the first one of its neighbour drew.
  std::uint64_t x = std::hash<TaskId>{}(task) + 0xD1B54A32D192ED03ULL * (attempt + 1ULL);
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  x ^= x >> 31U;
  return static_cast<double>(x >> 11U) * 0x1.0p-53;
}

}  // namespace framefleet::broker
