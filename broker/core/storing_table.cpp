#include "broker/core/storing_table.hpp"

#include "shared/base/assert.hpp"

namespace framefleet::broker {

std::uint64_t StoringTable::bytes_of(const Outcome& outcome) {
  std::uint64_t texts = outcome.task.size() + outcome.text.size() + outcome.worker.size();
  for (const auto& attempt : outcome.history) {
    texts += sizeof attempt + attempt.worker.size() + attempt.text.size();
  }
  return outcome.payload.bytes + texts + kTables;
}

void StoringTable::add(StoringTask task) {
  const bool is_new = by_task_.emplace(task.outcome.id, places_).second;
  FRAMEFLEET_ASSERT(is_new);
  bytes_ += bytes_of(task.outcome);
  line_.emplace(places_++, std::move(task));
}

const Outcome* StoringTable::send_next(std::uint64_t window, std::uint64_t written) {
  if (sent_ >= window) return nullptr;
  const auto position = line_.lower_bound(next_);
  if (position == line_.end() || position->second.written_by > written) return nullptr;
  next_ = position->first + 1;
  ++sent_;
  return &position->second.outcome;
}

std::optional<StoringTask> StoringTable::close(const TaskId& task) {
  const auto place = by_task_.find(task);
  if (place == by_task_.end()) return std::nullopt;
  const auto position = line_.find(place->second);
  FRAMEFLEET_ASSERT(position != line_.end());
  if (position->first < next_) --sent_;
  StoringTask closed = std::move(position->second);
  bytes_ -= bytes_of(closed.outcome);
  line_.erase(position);
  by_task_.erase(place);
  return closed;
}

bool StoringTable::came_from(const TaskId& task, const LeaseId& lease) const {
  const auto place = by_task_.find(task);
  return place != by_task_.end() && line_.at(place->second).lease == lease;
}

}  // namespace framefleet::broker
