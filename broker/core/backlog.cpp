#include "broker/core/backlog.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>

namespace framefleet::broker {

std::deque<TaskId>& Backlog::queue_for(const TaskId& task, const Route& route) {
  const auto [position, is_new] = lanes_.try_emplace(route);
  auto& lane = position->second;
  if (is_new) {
    lane.route = &position->first;
    lane.served_at = clock_;
    ++routes_opened_;
  }
  auto& queue = lane.by_source[task.source];
  if (queue.empty()) lane.turns.push_back(task.source);
  ++ready_count_;
  return queue;
}

void Backlog::push_back(const TaskId& task, const Route& route) {
  queue_for(task, route).push_back(task);
}

void Backlog::push_front(const TaskId& task, const Route& route) {
  queue_for(task, route).push_front(task);
}

void Backlog::push_delayed(const TaskId& task, Time due_at) { delayed_.emplace(due_at, task); }

TaskId Backlog::take_from(Lane& lane) {
  FRAMEFLEET_ASSERT(!lane.turns.empty());
  const auto source = lane.turns.front();
  lane.turns.pop_front();
  const auto queue = lane.by_source.find(source);
  FRAMEFLEET_ASSERT(queue != lane.by_source.end() && !queue->second.empty());
  const TaskId task = queue->second.front();
  queue->second.pop_front();
  lane.served_at = ++clock_;
  --ready_count_;
  if (queue->second.empty()) {
    lane.by_source.erase(queue);
  } else {
    lane.turns.push_back(source);
  }
  if (lane.turns.empty()) lanes_.erase(Route(*lane.route));
  return task;
}

std::optional<TaskId> Backlog::pop_unserved(Time limit) {
  for (auto& [route, lane] : lanes_) {
    if (lane.unserved_since <= limit) return take_from(lane);
  }
  return std::nullopt;
}

Time Backlog::unserved_since() const {
  Time since = kNever;
  for (const auto& [route, lane] : lanes_) since = std::min(since, lane.unserved_since);
  return since;
}

std::optional<TaskId> Backlog::pop_due(Time now) {
  if (delayed_.empty() || delayed_.begin()->first > now) return std::nullopt;
  const TaskId task = delayed_.begin()->second;
  delayed_.erase(delayed_.begin());
  return task;
}

Time Backlog::next_due() const { return delayed_.empty() ? kNever : delayed_.begin()->first; }

}  // namespace framefleet::broker
