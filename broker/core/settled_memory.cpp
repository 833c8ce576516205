#include "broker/core/settled_memory.hpp"

#include "shared/base/assert.hpp"

#include <bit>
#include <functional>
#include <limits>
#include <utility>

namespace framefleet::broker {
namespace {

constexpr std::uint32_t kEmpty = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kSlotsMin = 64;
/// Of a source's tasks so many have their slots side by side, in one line of a processor's cache:
/// tasks settle about in their order.
constexpr std::uint64_t kNeighbours = 16;

}  // namespace

SettledMemory::SettledMemory(std::uint64_t capacity) : capacity_(capacity) {
  FRAMEFLEET_ASSERT(capacity < kEmpty);
  place_all(kSlotsMin);
}

void SettledMemory::remember(const SettledTask& settled) {
  if (capacity_ == 0 || slots_[slot_for(settled.id)] != kEmpty) return;
  std::size_t place = tasks_.size();
  if (tasks_.size() < capacity_) {
    tasks_.push_back(settled);
    if (tasks_.size() > slots_.size() / 2) return place_all(2 * slots_.size());
  } else {
    place = oldest_;
    empty_slot(slot_for(tasks_[place].id));
    tasks_[place] = settled;
    oldest_ = (oldest_ + 1) % tasks_.size();
  }
  slots_[slot_for(settled.id)] = static_cast<std::uint32_t>(place);
}

const SettledTask* SettledMemory::find(const TaskId& task) const {
  const auto place = slots_[slot_for(task)];
  return place == kEmpty ? nullptr : &tasks_[place];
}

/// The upper bits name the block: a step of any size between the sequences of a source changes
/// them.
std::size_t SettledMemory::home_of(const TaskId& task) const {
  auto first = task;
  first.sequence /= kNeighbours;
  const std::size_t block = std::hash<TaskId>{}(first) >> shift_;
  return block * kNeighbours + task.sequence % kNeighbours;
}

/// The one it has, or the empty one that it would have: from its home on the first that is either.
std::size_t SettledMemory::slot_for(const TaskId& task) const {
  auto slot = home_of(task);
  while (slots_[slot] != kEmpty && tasks_[slots_[slot]].id != task) slot = behind(slot);
  return slot;
}

/// What stands behind it moves up, but none to before its home: nobody looks for it there.
void SettledMemory::empty_slot(std::size_t hole) {
  const auto distance = [this](std::size_t from, std::size_t to) {
    return (to - from) & (slots_.size() - 1);
  };
  for (auto slot = behind(hole); slots_[slot] != kEmpty; slot = behind(slot)) {
    const auto home = home_of(tasks_[slots_[slot]].id);
    if (distance(home, slot) < distance(hole, slot)) continue;
    slots_[hole] = slots_[slot];
    hole = slot;
  }
  slots_[hole] = kEmpty;
}

void SettledMemory::place_all(std::size_t slots) {
  constexpr unsigned kHashBits = 64;
  slots_.assign(slots, kEmpty);
  shift_ = kHashBits - static_cast<unsigned>(std::countr_zero(slots / kNeighbours));
  for (std::size_t place = 0; place < tasks_.size(); ++place) {
    slots_[slot_for(tasks_[place].id)] = static_cast<std::uint32_t>(place);
  }
}

}  // namespace framefleet::broker
