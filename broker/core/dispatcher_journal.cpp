// What outlives the broker: what is to be written, who is answered once it is, and how it begins
// with what an earlier broker left.

#include "broker/core/dispatcher.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <bit>
#include <set>
#include <utility>
#include <variant>

namespace framefleet::broker {
namespace {

/// Tasks that the sink is asked about at once; as many as fit into a message with room to spare.
constexpr std::size_t kAskedAtOnce = 1000;

}  // namespace

JournaledTask Dispatcher::journaled(const Task& task, Time now) const {
  JournaledTask record{.id = task.id,
                       .source = task.source->name,
                       .job = task.job == nullptr ? std::string{} : task.job->name,
                       .detectors = routes_.at(task.route),
                       .task = task.description,
                       .digest = task.digest,
                       .priority = task.priority,
                       .age = now - task.admitted_at,
                       .attempts = task.attempts,
                       .failed = task.charges.failed,
                       .lost = task.charges.lost,
                       .over = task.over};
  if (task.deadline != kNever) record.ttl_left = std::max(task.deadline - now, Duration{1});
  if (task.past != nullptr) {
    record.revived_from = task.past->revived_from;
    record.history = task.past->history;
  }
  return record;
}

/// What a peer is told of is on the disk, or it could be told of what never was.
void Dispatcher::answer_once_written(PeerId peer, Message message, Effects& out) {
  if (!options_.journal) {
    out.push_back(SendTo{peer, std::move(message)});
  } else {
    unwritten_.push_back({++writes_.given, peer, std::move(message)});
  }
}

/// Of what is asked again and again while the disk is full, one answer waits.
void Dispatcher::leave_out_unwritten(PeerId peer, Admitted& answer) const {
  std::set<TaskId> waiting;
  for (const auto& unwritten : unwritten_) {
    const auto* const admitted = std::get_if<Admitted>(&unwritten.message);
    if (unwritten.peer != peer || admitted == nullptr) continue;
    for (const auto& task : admitted->tasks) waiting.insert(task.id);
  }
  std::erase_if(answer.tasks, [&](const auto& task) { return waiting.contains(task.id); });
}

void Dispatcher::written(std::uint64_t number, Time now, Effects& out) {
  writes_.written = number;
  while (!unwritten_.empty() && unwritten_.front().number <= number) {
    auto& answer = unwritten_.front();
    out.push_back(SendTo{answer.peer, std::move(answer.message)});
    unwritten_.pop_front();
  }
  send_outcomes(now, out);
  say_farewell_when_empty(out);
}

JournaledBooks Dispatcher::changed_books() {
  auto books = ledger_.take_changed();
  if (std::exchange(fleet_changed_, false)) books.fleet = ledger_.fleet_book();
  if (books.fleet) {
    books.fleet->store = store_;
    books.fleet->paused = paused_;
  }
  return books;
}

// --- an earlier broker
// ---------------------------------------------------------------------------

void Dispatcher::restore(const FleetBook& fleet, const std::vector<JobBook>& jobs,
                         const std::vector<SourceBook>& sources, Time now) {
  FRAMEFLEET_ASSERT(options_.journal && tasks_.empty() && peers_.empty());
  store_ = fleet.store;
  paused_ = fleet.paused;
  ledger_.restore(fleet);
  for (const auto& book : jobs) ledger_.restore(book, now);
  for (const auto& book : sources) ledger_.restore(book);
}

void Dispatcher::restore(RestoredTask restored, Time now) {
  auto& record = restored.task;
  const auto route = routes_.open(record.detectors);
  // An earlier broker had as many routes, and a journal does not make up tasks.
  FRAMEFLEET_ASSERT(route.has_value());
  auto& task = tasks_[record.id];
  FRAMEFLEET_ASSERT(task.source == nullptr);
  task.id = record.id;
  task.source = &ledger_.open_source(record.id.source, record.source);
  task.job = ledger_.open_job(record.job);
  task.payload = restored.payload;
  task.digest = std::move(record.digest);
  task.description = std::move(record.task);
  if (record.revived_from || !record.history.empty()) {
    task.past = std::make_unique<TaskPast>();
    task.past->revived_from = record.revived_from;
    task.past->history = std::move(record.history);
  }
  task.admitted_at = now - std::min(record.age + restored.unattended, kUnattendedMax);
  task.queued_at = task.handed_out_at = now;
  task.cancelled = record.cancelled;
  if (record.ttl_left > Duration::zero() && !record.cancelled) {
    task.deadline = now + std::max(record.ttl_left - restored.unattended, Duration::zero());
  }
  task.charges = {record.failed, record.lost};
  task.attempts = record.attempts;
  task.over = record.over;
  task.priority = record.priority;
  task.route = *route;
  task.unsure = true;
  routes_.enter(*route);
  ledger_.restored(task);
  count_bytes(task);
  delayed_.emplace(task.due_at, task.id);  // kNever: until a sink has been asked
  note_deadline(task);
}

void Dispatcher::restore_damaged(JournaledTask known, const std::string& text, Time now,
                                 Effects& out) {
  const auto id = known.id;
  if (known.source.empty()) {
    const auto* source = ledger_.find_source(id.source);
    known.source = source == nullptr ? to_string(id) : source->name;
  }
  // Nobody will be handed it, so any route does, and a new one perhaps has no number left.
  if (const auto open = routes_.open_routes(); open != 0) {
    known.detectors = routes_.at(static_cast<RouteId>(std::countr_zero(open)));
  }
  restore({std::move(known), {}, {}}, now);
  auto& task = task_at(id);
  auto outcome = outcome_of(task, now);
  outcome.status = Status::lost;
  outcome.reason = Reason::journal_damaged;
  outcome.text = text;
  end_task(task, std::move(outcome), {}, {}, now, out);
}

/// Their outcomes may be stored; the answer saves work and no more, so it is not waited for long.
void Dispatcher::ask_for_the_restored(Time now, Effects& out) {
  while (true) {
    const auto first = delayed_.lower_bound({kNever, TaskId{}});
    if (first == delayed_.end()) return;
    std::vector<TaskId> ids;
    for (auto position = first; position != delayed_.end() && ids.size() < kAskedAtOnce;
         ++position) {
      ids.push_back(position->second);
    }
    for (const auto& id : ids) {
      auto& task = task_at(id);
      delayed_.erase({task.due_at, id});
      task.due_at = now + options_.ask_timeout;
      delayed_.emplace(task.due_at, id);
    }
    auto& pending = asks_[++ask_numbers_];
    pending = {PeerId{}, std::move(ids), kNever};
    forward_ask(ask_numbers_, pending, now, out);
  }
}

void Dispatcher::on_known_of_restored(const Known& known, Time now, Effects& out) {
  const auto waiting = [this](const TaskId& id) -> Task* {
    const auto position = tasks_.find(id);
    return position == tasks_.end() || !position->second.unsure ? nullptr : &position->second;
  };
  for (const auto& settled : known.stored) {
    if (auto* const task = waiting(settled.id)) {
      if (task->payload.id) out.push_back(ReleasePayload{task->payload.id});
      leave_backlog(*task);
      forget_settled(*task, settled, Duration::zero(), now, out);
    }
  }
  for (const auto& id : known.unknown) {
    if (auto* const task = waiting(id)) take_up(*task, now, out);
  }
  auto& open = asks_.at(known.asker).tasks;
  std::erase_if(open, [&waiting](const TaskId& id) { return waiting(id) == nullptr; });
  if (open.empty()) asks_.erase(known.asker);
  assign_all(now, out);
}

}  // namespace framefleet::broker
