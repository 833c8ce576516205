#include "broker/core/storing_table.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::broker {

std::uint64_t StoringTable::bytes_of(const Outcome& outcome) {
  std::uint64_t texts = outcome.task.size() + outcome.text.size() + outcome.worker.size();
  for (const auto& attempt : outcome.history) {
    texts += sizeof attempt + attempt.worker.size() + attempt.text.size();
  }
  return outcome.payload.bytes + texts + kTables;
}

void StoringTable::add(StoringTask task) {
  const auto id = task.outcome.id;
  bytes_ += bytes_of(task.outcome);
  const auto [position, is_new] = entries_.try_emplace(id, Entry{std::move(task)});
  FRAMEFLEET_ASSERT(is_new);
  auto& entry = position->second;
  line_.push_back(entry);
  if (next_ == nullptr) next_ = &entry;
}

const Outcome* StoringTable::send_next(std::uint64_t window, std::uint64_t written) {
  if (sent_ >= window) return nullptr;
  put_back_in_line(written);
  while (next_ != nullptr && next_->task.written_by > written) put_aside(*next_);
  if (next_ == nullptr) return nullptr;
  auto& entry = *next_;
  entry.place = Place::sent;
  ++sent_;
  next_ = entry.later;
  return &entry.task.outcome;
}

void StoringTable::put_aside(Entry& entry) {
  next_ = entry.later;
  line_.remove(entry);
  entry.place = Place::aside;
  aside_.emplace(entry.task.written_by, &entry);
}

void StoringTable::put_back_in_line(std::uint64_t written) {
  while (!aside_.empty() && aside_.begin()->first <= written) {
    auto& entry = *aside_.extract(aside_.begin()).mapped();
    entry.place = Place::waiting;
    line_.push_back(entry);
    if (next_ == nullptr) next_ = &entry;
  }
}

void StoringTable::send_again() {
  for (auto* entry = line_.first(); entry != next_; entry = entry->later)
    entry->place = Place::waiting;
  next_ = line_.first();
  sent_ = 0;
}

std::optional<StoringTask> StoringTable::close(const TaskId& task) {
  const auto position = entries_.find(task);
  if (position == entries_.end()) return std::nullopt;
  auto& entry = position->second;
  if (entry.place == Place::sent) --sent_;
  if (entry.place == Place::aside) {
    const auto [first, last] = aside_.equal_range(entry.task.written_by);
    aside_.erase(std::find_if(first, last, [&](const auto& one) { return one.second == &entry; }));
  } else {
    if (next_ == &entry) next_ = entry.later;
    line_.remove(entry);
  }
  StoringTask closed = std::move(entry.task);
  bytes_ -= bytes_of(closed.outcome);
  entries_.erase(position);
  return closed;
}

bool StoringTable::came_from(const TaskId& task, const LeaseId& lease) const {
  const auto position = entries_.find(task);
  return position != entries_.end() && position->second.task.lease == lease;
}

}  // namespace framefleet::broker
