#pragma once
// What each simulated picture is like, by its number alone: who needs what, what is poison, what is
// in a hurry. Both the world, which makes them, and the promises, which judge their ends, look
// here.

#include "shared/base/task_id.hpp"
#include "shared/base/time.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace framefleet::simulation {

inline constexpr std::uint64_t kInputBytes = 1000;
inline constexpr std::uint64_t kResultBytes = 100;

/// No detector can do it.
inline bool is_poison(const TaskId& id) { return id.sequence % 10 == 7; }
/// The image gate refuses it.
inline bool is_refused(const TaskId& id) { return id.sequence % 10 == 9; }
/// Its worker dies with it, every time.
inline bool is_deadly(const TaskId& id) { return id.sequence % 50 == 13; }
inline std::uint8_t priority_of(const TaskId& id) { return id.sequence % 5 == 3 ? 4 : 0; }
/// 0: it can wait for ever.
inline Duration ttl_of(const TaskId& id) {
  return id.sequence % 10 == 4 ? std::chrono::milliseconds{600} : Duration::zero();
}
inline std::vector<std::string> needed_by(const TaskId& id) {
  return id.sequence % 2 == 0 ? std::vector<std::string>{"faces"}
                              : std::vector<std::string>{"edges", "faces"};
}

}  // namespace framefleet::simulation
