// What producers ask about tasks of an earlier connection or run: answered from the broker's own
// tables, else by the sink, so that nothing is worked on again that is stored.

#include "broker/core/dispatcher.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace framefleet::broker {
namespace {

/// Questions of one producer that may be open; a further one has the oldest answered with
/// "unknown".
constexpr std::ptrdiff_t kOpenAsksMax = 16;

}  // namespace

void Dispatcher::on_ask(PeerId from, const Ask& ask, Time now, Effects& out) {
  std::vector<TaskId> unsure;
  Settled settled;
  Admitted admitted;
  Admitted written;
  std::vector<TaskId> foreign;
  const auto* const quota = peers_.at(from).quota;
  for (const auto& id : ask.tasks) {
    const auto* const source = ledger_.find_source(id.source);
    if (source == nullptr ? quota != nullptr : !Ledger::may_have(*source, quota)) {
      foreign.push_back(id);
    } else if (const auto* task = tasks_.find(id); task != nullptr && !task->unaccounted()) {
      const bool durable = is_kept(*task);
      (durable ? written : admitted).tasks.push_back({id, durable});
    } else if (const auto* known = settled_.find(id)) {
      settled.tasks.push_back(*known);
    } else {
      unsure.push_back(id);
    }
  }
  if (!admitted.tasks.empty()) out.push_back(SendTo{from, std::move(admitted)});
  unwritten_.leave_out_waiting(from, written);
  if (!written.tasks.empty()) answer_once_written(from, std::move(written), out);
  if (!settled.tasks.empty()) out.push_back(SendTo{from, std::move(settled)});
  if (!foreign.empty()) {  // as if nobody knew of them
    counts_.foreign_ids += foreign.size();
    out.push_back(SendTo{from, Known{0, {}, std::move(foreign)}});
  }
  if (unsure.empty()) return;
  make_room_for_ask(from, unsure, out);
  auto& pending = asks_[++ask_numbers_];
  pending = {from, std::move(unsure), kNever};
  if (sink_) forward_ask(ask_numbers_, pending, now, out);
}

/// What is asked once more is answered once, and nobody has more than a few questions open.
void Dispatcher::make_room_for_ask(PeerId from, const std::vector<TaskId>& tasks, Effects& out) {
  const std::set<TaskId> again(tasks.begin(), tasks.end());
  for (auto& [number, pending] : asks_) {
    if (pending.asker != from) continue;
    std::erase_if(pending.tasks, [&again](const TaskId& id) { return again.contains(id); });
  }
  std::erase_if(asks_, [](const auto& entry) { return entry.second.tasks.empty(); });
  const auto of_asker = [from](const auto& entry) { return entry.second.asker == from; };
  if (std::count_if(asks_.begin(), asks_.end(), of_asker) < kOpenAsksMax) return;
  const auto oldest = std::find_if(asks_.begin(), asks_.end(), of_asker);
  out.push_back(SendTo{from, Known{0, {}, std::move(oldest->second.tasks)}});
  asks_.erase(oldest);
}

void Dispatcher::forward_ask(std::uint64_t number, PendingAsk& pending, Time now, Effects& out) {
  pending.answer_by = now + options_.ask_timeout;
  out.push_back(SendTo{sink_, Ask{number, pending.tasks}});
}

/// An answer may come in parts: each names the ids it is about.
void Dispatcher::on_known(const Known& known, Time now, Effects& out) {
  const auto pending = asks_.find(known.asker);
  if (pending == asks_.end()) return;  // answered by time already
  if (!pending->second.asker) return on_known_of_restored(known, now, out);
  out.push_back(SendTo{pending->second.asker, Known{0, known.stored, known.unknown}});
  std::set<TaskId> answered(known.unknown.begin(), known.unknown.end());
  for (const auto& task : known.stored) answered.insert(task.id);
  for (const auto& task : known.stored) ledger_.stored_before(task.id);
  auto& open = pending->second.tasks;
  std::erase_if(open, [&answered](const TaskId& id) { return answered.contains(id); });
  if (open.empty()) asks_.erase(pending);
}

void Dispatcher::answer_late_asks(Time now, Effects& out) {
  for (auto position = asks_.begin(); position != asks_.end();) {
    auto& [number, ask] = *position;
    if (ask.answer_by > now) {
      ++position;
      continue;
    }
    // Asking saves work and no more: the store's unique key keeps the promise.
    if (ask.asker) out.push_back(SendTo{ask.asker, Known{0, {}, std::move(ask.tasks)}});
    position = asks_.erase(position);
  }
}

}  // namespace framefleet::broker
