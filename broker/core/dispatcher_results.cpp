// What workers say of their tasks: done, could not, take it back. And what becomes of a task that
// comes back.

#include "broker/core/dispatcher.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::broker {
namespace {

/// History kept per task: enough for every allowed attempt at the defaults.
constexpr std::size_t kHistoryMax = 16;

}  // namespace

void Dispatcher::on_results(PeerId from, const Results& results, Time now, Effects& out) {
  for (const auto& result : results.tasks) on_result(from, result, now, out);
  assign_all(now, out);
}

void Dispatcher::on_result(PeerId from, const TaskResult& result, Time now, Effects& out) {
  if (const auto lease = close_held(from, result.lease, result.id)) {
    auto& task = task_at(result.id);
    const auto worked = std::min(result.elapsed, now - task.handed_out_at);
    measure(task, lease->worker, worked);
    if (workers_.find(from)->full) {
      workers_.update(from, [](Worker& freed) { freed.full = false; });
    }
    close_lease(*lease, task, Reason::none, worked, now, out);
  } else if (!take_from_before(result, now, out)) {
    answer_unexpected_result(from, result, out);
    return;
  }
  auto& task = task_at(result.id);
  auto outcome = outcome_of(task, now);
  outcome.status = Status::ok;
  outcome.worked = result.elapsed;
  outcome.payload = result.payload;
  const auto* worker = workers_.find(from);
  outcome.worker = worker->name;
  outcome.build = worker->build;
  if (task.payload.id) out.push_back(ReleasePayload{task.payload.id});
  end_task(task, std::move(outcome), from, result.lease, now, out);
}

/// A result of an earlier broker's hand-out: true if its task came to us by the journal, has no
/// outcome, and nothing else has become of that hand-out or a later one. Then nobody needs to work
/// on it again, and who does is told.
bool Dispatcher::take_from_before(const TaskResult& result, Time now, Effects& out) {
  const bool from_before = result.lease.incarnation < options_.incarnation && !result.token.empty();
  auto* const known = from_before ? tasks_.find(result.id) : nullptr;
  if (known == nullptr || known->past == nullptr) return false;  // none, or let in by us
  auto& task = *known;
  if (task.state == TaskState::storing || task.cancelled) return false;
  if (task.past->over >= result.lease) return false;
  ++counts_.results_from_before;
  if (task.state == TaskState::leased) {
    take_back(task, Reason::none, now, out);
  } else {
    ++task.attempts;
    task.handed_out_at = now - std::min(result.elapsed, now - task.admitted_at);
  }
  return true;
}

/// How long such tasks take: what the worker says, but never more than it had the task.
void Dispatcher::measure(Task& task, PeerId worker, Duration service) {
  backlog_.settle_up(task, service);
  task.source->service.add(service);
  routes_.measured(task.route, service);
  workers_.finished(worker, task.route, routes_, service);
}

/// No such lease: it was closed by this very result, or it closes nothing.
void Dispatcher::answer_unexpected_result(PeerId from, const TaskResult& result, Effects& out) {
  if (result.payload.id) out.push_back(ReleasePayload{result.payload.id});
  if (storing_.came_from(result.id, result.lease)) return;  // sent twice; `settled` will answer it
  if (const auto* settled = settled_.find(result.id)) {
    out.push_back(SendTo{from, Settled{{*settled}}});
    return;
  }
  stale(from, result.id, result.lease, out);
}

void Dispatcher::on_nack(PeerId from, const Nack& nack, Time now, Effects& out) {
  const auto lease = close_held(from, nack.lease, nack.id);
  if (!lease) {
    stale(from, nack.id, nack.lease, out);
    return;
  }
  hand_back(*lease, nack.reason, nack.text, now, out);
  if (nack.reason == Reason::drained) {
    workers_.update(from, [](Worker& worker) { worker.full = true; });
  }
  assign_all(now, out);
}

void Dispatcher::on_release(PeerId from, const Release& release, Time now, Effects& out) {
  for (auto position = release.tasks.rbegin(); position != release.tasks.rend(); ++position) {
    if (const auto lease = close_held(from, position->lease, position->id)) {
      hand_back(*lease, Reason::drained, "", now, out);
    } else {
      stale(from, position->id, position->lease, out);
    }
  }
  // Its slots are taken by what we do not know of; handing out at once would go round in circles.
  workers_.update(from, [](Worker& worker) { worker.full = true; });
  assign_all(now, out);
}

/// Closes the lease if `by` holds it; nothing means: stale.
std::optional<Lease> Dispatcher::close_held(PeerId by, const LeaseId& lease, const TaskId& task) {
  return holds(by, lease) ? leases_.close(lease, task) : std::nullopt;
}

/// The worker it was given to, perhaps over a new connection.
bool Dispatcher::holds(PeerId peer, const LeaseId& id) const {
  const auto* lease = leases_.find(id);
  if (lease == nullptr || lease->worker == peer) return lease != nullptr;
  const auto* holder = workers_.find(lease->worker);
  const auto* asker = workers_.find(peer);
  return holder != nullptr && asker != nullptr && holder->name == asker->name &&
         holder->identity == asker->identity;
}

void Dispatcher::stale(PeerId to, const TaskId& task, const LeaseId& lease, Effects& out) {
  ++counts_.stale_results;
  out.push_back(SendTo{to, Stale{{{task, lease}}}});
}

/// The hand-out is over without an outcome: again now, again later, or never again.
void Dispatcher::hand_back(const Lease& lease, Reason reason, const std::string& text, Time now,
                           Effects& out) {
  auto& task = task_at(lease.task);
  close_lease(lease, task, reason, Duration::zero(), now, out);
  uncount_bytes(task);
  auto& past = task.past_in(options_.incarnation);
  past.over = lease.id;
  count_bytes(task);
  const auto* worker = workers_.find(lease.worker);
  const std::string worker_name = worker == nullptr ? std::string{} : worker->name;
  if (reason == Reason::deadline_passed && task.deadline != kNever) {
    end_unworked(task, Status::expired, reason, now, out);
    return;
  }
  if (reason != Reason::drained) remember_attempt(task, worker_name, reason, text);
  pay_for_attempt(task, reason, now);
  auto verdict = judge(reason, task.charges, jitter_of(lease.task, task.attempts), options_);
  const bool is_live = task.task_class == TaskClass::live;
  if (is_live && verdict.what == Verdict::What::again_later) verdict.what = Verdict::What::give_up;
  task.queued_at = now;
  switch (verdict.what) {
    case Verdict::What::again_now:
      --task.attempts;  // it never began
      ledger_.moved(task, TaskState::ready);
      ready_again(task, now, out);
      return;
    case Verdict::What::again_later:
      ledger_.moved(task, TaskState::delayed);
      past.due_at = now + verdict.delay;
      delayed_.emplace(past.due_at, task.id);
      note_deadline(task);
      if (is_kept(task)) out.push_back(WriteAttempt{journaled(task, now)});
      return;
    case Verdict::What::give_up:
      break;
  }
  auto outcome = outcome_of(task, now);
  outcome.status = Status::failed;
  outcome.reason = reason;
  outcome.text = text.empty() ? std::string(entry(reason).text) : text;
  outcome.worker = worker_name;
  outcome.build = worker == nullptr ? std::string{} : worker->build;
  outcome.payload = task.payload;
  end_task(task, std::move(outcome), lease.worker, {}, now, out);
}

/// What went wrong took the worker's time too: a source of pictures that spend their whole budget
/// pays for that. What was never begun costs nothing.
void Dispatcher::pay_for_attempt(Task& task, Reason reason, Time now) {
  const auto charge = entry(reason).charge;
  const bool began = charge == Charge::failed || charge == Charge::final;
  const Duration spent = began ? now - task.handed_out_at : Duration::zero();
  backlog_.settle_up(task, spent);
  if (charge == Charge::failed) task.source->service.add(spent);
}

void Dispatcher::remember_attempt(Task& task, const std::string& worker, Reason reason,
                                  const std::string& text) {
  uncount_bytes(task);
  auto& history = task.past_in(options_.incarnation).history;
  if (history.size() == kHistoryMax) history.erase(history.begin());
  history.push_back({task.attempts, worker, reason, text});
  count_bytes(task);
}

/// A task that was handed out before waits once more: in front of its source, or until it can be
/// tried alone. A live frame only if there is no newer one.
void Dispatcher::ready_again(Task& task, Time now, Effects& out) {
  note_waiting(task);
  auto& source = *task.source;
  if (task.task_class == TaskClass::live) {
    if (source.newest_live > std::pair{task.id.epoch, task.id.sequence}) {
      end_unworked(task, Status::superseded, Reason::newer_frame, now, out);
      return;
    }
    source.waiting_live = &task;
  }
  if (is_suspect(task)) {
    suspects_.push_back(task.id);
  } else {
    backlog_.push_front(task);
  }
}

/// A delayed task has waited long enough. What comes from the journal keeps its order.
void Dispatcher::take_up(Task& task, Time now, Effects& out) {
  if (task.cancelled) {
    end_unworked(task, Status::cancelled, Reason::cancelled_by_operator, now, out);
    return;
  }
  if (task.unaccounted()) {
    end_unworked(task, Status::lost, Reason::unaccounted, now, out);
    return;
  }
  const bool restored = task.unsure;
  leave_waiting(task);
  ledger_.moved(task, TaskState::ready);
  if (restored && !is_suspect(task)) {
    note_waiting(task);
    backlog_.push_back(task);
  } else {
    ready_again(task, now, out);
  }
}

/// From the worker that has it, and is told so.
void Dispatcher::take_back(Task& task, Reason reason, Time now, Effects& out) {
  const auto lease = leases_.close(lease_of(task), task.id);
  FRAMEFLEET_ASSERT(lease.has_value());
  backlog_.settle_up(task, now - task.handed_out_at);
  close_lease(*lease, task, reason, Duration::zero(), now, out);
  out.push_back(SendTo{lease->worker, Stale{{{task.id, lease->id}}}});
}

void Dispatcher::close_lease(const Lease& lease, const Task& task, Reason reason, Duration worked,
                             Time now, Effects& out) {
  workers_.gave_back_slot(lease.worker, now + options_.recall_delay);
  if (lease.worker == alone_) suspect_out_ = false;  // assign_suspect() lets the worker go
  out.push_back(LeaseClosed{task.id, reason, task.handed_out_at - task.queued_at,
                            now - task.handed_out_at, worked});
}

}  // namespace framefleet::broker
