// What outlives the broker: what is to be written, who is answered once it is, and how it begins
// with what an earlier broker left.

#include "broker/core/dispatcher.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <bit>
#include <utility>
#include <variant>

namespace framefleet::broker {
namespace {

/// Tasks that the sink is asked about at once; as many as fit into a message with room to spare.
constexpr std::size_t kAskedAtOnce = 1000;
/// Of a peer_timeout, how long the producers of an earlier broker have to come back: one to notice
/// that it is gone, one for a dial that fails, and as much again.
constexpr int kReturnTimeouts = 4;

/// Any set of detectors, for a task that nobody is handed: a new one perhaps has no number left.
std::vector<std::string> some_detectors(const RouteTable& routes) {
  const auto open = routes.open_routes();
  if (open == 0) return {};
  return routes.at(static_cast<RouteId>(std::countr_zero(open)));
}

}  // namespace

JournaledTask Dispatcher::journaled(const Task& task, Time now) const {
  JournaledTask record{.id = task.id,
                       .source = task.source->name,
                       .job = task.job == nullptr ? std::string{} : task.job->name,
                       .detectors = routes_.at(task.route),
                       .task = std::string(task.texts.description()),
                       .digest = std::string(task.texts.digest()),
                       .priority = task.priority,
                       .age = now - task.admitted_at,
                       .attempts = task.attempts,
                       .failed = task.charges.failed,
                       .lost = task.charges.lost,
                       .over = {options_.incarnation, 0}};
  if (task.deadline != kNever) record.ttl_left = std::max(task.deadline - now, Duration{1});
  if (task.past != nullptr) {
    record.revived_from = task.past->revived_from;
    record.history = task.past->history;
    record.over = task.past->over;
  }
  return record;
}

/// What a peer is told of is on the disk, or it could be told of what never was.
void Dispatcher::answer_once_written(PeerId peer, Message message, Effects& out) {
  if (!options_.journal) {
    out.push_back(SendTo{peer, std::move(message)});
  } else {
    unwritten_.keep(peer, std::move(message));
  }
}

void Dispatcher::written(std::uint64_t number, Time now, Effects& out) {
  unwritten_.release(number, out);
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
  for (const auto& book : sources) ledger_.restore(book, quotas_.find_or_add(book.identity));
}

void Dispatcher::restore(RestoredTask restored, Time now) {
  auto& record = restored.task;
  const auto route = routes_.open(record.detectors);
  // An earlier broker had as many routes, and a journal does not make up tasks.
  FRAMEFLEET_ASSERT(route.has_value());
  FRAMEFLEET_ASSERT(tasks_.find(record.id) == nullptr);
  auto& task = tasks_.add(record.id);
  task.source = &ledger_.open_source(record.id.source, record.source);
  task.job = ledger_.open_job(record.job);
  task.payload = restored.payload;
  task.texts = {record.digest, record.task};
  auto& past = task.past_in(options_.incarnation);
  past.revived_from = record.revived_from;
  past.history = std::move(record.history);
  past.over = record.over;
  task.task_class = restored.task_class;
  task.gone = restored.gone;
  task.admitted_at = now - std::min(record.age + restored.unattended, kUnattendedMax);
  task.queued_at = task.handed_out_at = now;
  task.cancelled = record.cancelled;
  if (record.ttl_left > Duration::zero() && !record.cancelled) {
    task.deadline = now + std::max(record.ttl_left - restored.unattended, Duration::zero());
  }
  task.charges = {record.failed, record.lost};
  task.attempts = record.attempts;
  task.priority = record.priority;
  task.route = *route;
  task.unsure = true;
  routes_.enter(*route);
  ledger_.restored(task);
  task.quota_part.take(task.source->quota, task.bytes());
  count_bytes(task);
  delayed_.emplace(past.due_at, task.id);  // kNever: until a sink has been asked
  note_deadline(task);
}

void Dispatcher::restore_damaged(JournaledTask known, const std::string& text, Time now,
                                 Effects& out) {
  const auto id = known.id;
  if (known.source.empty()) {
    const auto* source = ledger_.find_source(id.source);
    known.source = source == nullptr ? to_string(id) : source->name;
  }
  known.detectors = some_detectors(routes_);
  RestoredTask damaged;
  damaged.task = std::move(known);
  restore(std::move(damaged), now);
  auto& task = task_at(id);
  auto outcome = outcome_of(task, now);
  outcome.status = Status::lost;
  outcome.reason = Reason::journal_damaged;
  outcome.text = text;
  end_task(task, std::move(outcome), {}, {}, now, out);
}

/// What the books name and nobody kept waits for its producer, and for what the sink says of it.
void Dispatcher::end_restore(Time now) {
  ledger_.await_owners(now + kReturnTimeouts * options_.peer_timeout);
  for (const auto* source : ledger_.sources()) {
    for (const auto& [id, task_class] : source->unkept) {
      if (tasks_.find(id) != nullptr) continue;
      RestoredTask unkept{.task_class = task_class, .gone = true};
      unkept.task.id = id;
      unkept.task.source = source->name;
      if (source->counted_in != nullptr) unkept.task.job = source->counted_in->name;
      unkept.task.detectors = some_detectors(routes_);
      restore(std::move(unkept), now);
    }
  }
  ledger_.end_restore();
}

/// Its producer is back. Either it has the picture, and the task begins anew, or nobody has.
void Dispatcher::submit_unaccounted(PeerId from, const SubmittedTask& submitted, Time now,
                                    Effects& out) {
  auto& task = task_at(submitted.id);
  if (submitted.gone) {
    out.push_back(SendTo{from, Admitted{{{submitted.id, false}}, {}}});
    end_unworked(task, Status::lost, Reason::broker_restarted, now, out);
    return;
  }
  leave_waiting(task);
  uncount_bytes(task);
  if (const auto owner = peers_.find(task.source->owner); owner != peers_.end()) {
    --owner->second.tasks;
  }
  task.quota_part.free();
  ledger_.disowned(task);
  routes_.leave(task.route);
  tasks_.remove(task);
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
      auto& due_at = task.past_in(options_.incarnation).due_at;
      delayed_.erase({due_at, id});
      due_at = now + options_.ask_timeout;
      if (const Time until = ledger_.owners_awaited_until(); task.gone && until != kNever) {
        due_at = std::max(due_at, until);
      }
      delayed_.emplace(due_at, id);
    }
    auto& pending = asks_[++ask_numbers_];
    pending = {PeerId{}, std::move(ids), kNever};
    forward_ask(ask_numbers_, pending, now, out);
  }
}

void Dispatcher::on_known_of_restored(const Known& known, Time now, Effects& out) {
  const auto waiting = [this](const TaskId& id) -> Task* {
    auto* const task = tasks_.find(id);
    return task == nullptr || !task->unsure ? nullptr : task;
  };
  for (const auto& settled : known.stored) {
    if (auto* const task = waiting(settled.id)) {
      if (task->payload.id) out.push_back(ReleasePayload{task->payload.id});
      leave_backlog(*task);
      forget_settled(*task, settled, Duration::zero(), now, out);
    }
  }
  for (const auto& id : known.unknown) {
    if (auto* const task = waiting(id); task != nullptr && !task->gone) take_up(*task, now, out);
  }
  auto& open = asks_.at(known.asker).tasks;
  std::erase_if(open, [&waiting](const TaskId& id) { return waiting(id) == nullptr; });
  if (open.empty()) asks_.erase(known.asker);
  assign_all(now, out);
}

}  // namespace framefleet::broker
