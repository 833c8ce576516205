#pragma once
// How the latest tasks ended, so that a submit that comes late or twice is answered, not worked on.
// Bounded: the oldest are forgotten first; for those the sink is asked (or its unique key decides).

#include "shared/base/messages.hpp"

#include <cstdint>
#include <deque>
#include <unordered_map>

namespace framefleet::broker {

class SettledMemory {
 public:
  explicit SettledMemory(std::uint64_t capacity) : capacity_(capacity) {}

  void remember(const SettledTask& settled) {
    if (capacity_ == 0 || !by_task_.emplace(settled.id, settled).second) return;
    in_order_.push_back(settled.id);
    if (in_order_.size() > capacity_) {
      by_task_.erase(in_order_.front());
      in_order_.pop_front();
    }
  }

  /// Null when it is not (or no longer) known.
  const SettledTask* find(const TaskId& task) const {
    const auto position = by_task_.find(task);
    return position == by_task_.end() ? nullptr : &position->second;
  }

 private:
  std::uint64_t capacity_;
  std::unordered_map<TaskId, SettledTask> by_task_;
  std::deque<TaskId> in_order_;
};

}  // namespace framefleet::broker
