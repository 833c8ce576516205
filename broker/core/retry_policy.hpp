#pragma once
// What becomes of a task whose hand-out did not end it: pure arithmetic over its counters.

#include "broker/core/options.hpp"

#include "shared/base/reason.hpp"
#include "shared/base/task_id.hpp"

#include <cstdint>

namespace framefleet::broker {

/// How often a task has been charged, by kind (DESIGN: two counters).
struct Charges {
  std::uint16_t failed{0};
  std::uint16_t lost{0};
};

struct Verdict {
  enum class What : std::uint8_t {
    again_now,    ///< Nobody is to blame: to the front of its source.
    again_later,  ///< After `delay`.
    give_up,      ///< The attempts are used up, or the reason is final.
  };
  What what{What::again_now};
  Duration delay{};
};

/// Charges the task and decides. `jitter` in [0, 1) picks the point within the back-off.
Verdict judge(Reason reason, Charges& charges, double jitter, const CoreOptions& options);

/// A number in [0, 1) that looks random and is the same whenever the same task fails for the same
/// time: cores have no random generator.
double jitter_of(const TaskId& task, std::uint16_t attempt);

}  // namespace framefleet::broker
