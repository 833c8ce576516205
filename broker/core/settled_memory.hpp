#pragma once
// How the latest tasks ended, so that a submit that comes late or twice is answered, not worked on.
// Bounded: the oldest are forgotten first; for those the sink is asked (or its unique key decides).
// Once it is full it takes no more memory but for texts. Not thread-safe.

#include "shared/base/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace framefleet::broker {

class SettledMemory {
 public:
  /// Of so many tasks, fewer than 2^32.
  explicit SettledMemory(std::uint64_t capacity);

  /// As it is told first; again is no news.
  void remember(const SettledTask& settled);
  /// Null when it is not (or no longer) known. Valid until the next call of remember().
  const SettledTask* find(const TaskId& task) const;

 private:
  std::size_t home_of(const TaskId& task) const;
  std::size_t behind(std::size_t slot) const { return (slot + 1) & (slots_.size() - 1); }
  std::size_t slot_for(const TaskId& task) const;
  void empty_slot(std::size_t hole);
  void place_all(std::size_t slots);

  std::uint64_t capacity_;
  std::vector<SettledTask> tasks_;    // a ring once it is full
  std::size_t oldest_{0};             // of a full ring
  std::vector<std::uint32_t> slots_;  // places in the ring; as many as a power of two
  unsigned shift_{0};                 // leaves as many bits of a hash as name a block of slots
};

}  // namespace framefleet::broker
