#include "broker/core/pending.hpp"

#include "shared/base/joining.hpp"

#include <set>
#include <utility>
#include <variant>

namespace framefleet::broker {

void UnwrittenAnswers::keep(PeerId peer, Message message) {
  tasks_[peer] += entries_of(message);
  waiting_.push_back({++given_, peer, std::move(message)});
}

void UnwrittenAnswers::release(std::uint64_t number, Effects& out) {
  written_ = number;
  while (!waiting_.empty() && waiting_.front().number <= number) {
    auto& answer = waiting_.front();
    count_down(answer);
    out.push_back(SendTo{answer.peer, std::move(answer.message)});
    waiting_.pop_front();
  }
}

void UnwrittenAnswers::forget(PeerId peer) {
  std::erase_if(waiting_, [peer](const auto& answer) { return answer.peer == peer; });
  tasks_.erase(peer);
}

std::uint64_t UnwrittenAnswers::waiting_of(PeerId peer) const {
  const auto tasks = tasks_.find(peer);
  return tasks == tasks_.end() ? 0 : tasks->second;
}

void UnwrittenAnswers::count_down(const Waiting& answer) {
  const auto tasks = tasks_.find(answer.peer);
  tasks->second -= entries_of(answer.message);
  if (tasks->second == 0) tasks_.erase(tasks);
}

void UnwrittenAnswers::leave_out_waiting(PeerId peer, Admitted& answer) const {
  std::set<TaskId> waiting;
  for (const auto& each : waiting_) {
    const auto* const admitted = std::get_if<Admitted>(&each.message);
    if (each.peer != peer || admitted == nullptr) continue;
    for (const auto& task : admitted->tasks) waiting.insert(task.id);
  }
  std::erase_if(answer.tasks, [&](const auto& task) { return waiting.contains(task.id); });
}

}  // namespace framefleet::broker
