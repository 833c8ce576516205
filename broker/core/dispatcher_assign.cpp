// Hand-outs: which worker gets which task, and when.

#include "broker/core/dispatcher.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::broker {
namespace {

/// About what a bare ROUTER takes to hand a task to a worker and its result on, between processes
/// of one machine that are not busy (`framefleet bench latency`, the router's p50).
constexpr Duration kToldWithin = std::chrono::microseconds{200};

}  // namespace

void Dispatcher::assign_all(Time now, Effects& out) {
  while (sink_ && sink_keeps_up() && !paused_) {
    if (!assign_suspect(now, out) && !assign_idle(now, out) && !assign_ahead(now, out)) break;
  }
}

bool Dispatcher::sink_keeps_up() const {
  return storing_.bytes() < options_.unstored_bytes_max &&
         storing_.count() < options_.unstored_tasks_max;
}

bool Dispatcher::assign_idle(Time now, Effects& out) {
  if (backlog_.ready_routes() == 0) return false;
  return workers_.visit_idle([&](const Worker& worker) {
    auto* const task = backlog_.take(worker.served, true, routes_);
    if (task == nullptr) return false;
    hand_out(*task, worker.peer, now, out);
    // What is done sooner than it could be told to somebody else goes along with it.
    while (assign_behind(worker, std::min(kToldWithin, options_.ahead_time), now, out)) {
    }
    return true;
  });
}

/// Batch tasks go to quick workers before they are free.
bool Dispatcher::assign_ahead(Time now, Effects& out) {
  if (backlog_.ready_routes() == 0) return false;
  for (const auto& [peer, worker] : workers_.all()) {
    if (assign_behind(worker, options_.ahead_time, now, out)) return true;
  }
  return false;
}

/// Hands a batch task to a worker that will begin with it `within` so much, though no slot of it is
/// free. Not while a live frame waits for one of its slots: it would never find it idle.
bool Dispatcher::assign_behind(const Worker& worker, Duration within, Time now, Effects& out) {
  if (worker.waiting() >= options_.ahead_tasks_max) return false;
  if ((worker.served & backlog_.ready_live_routes()) != 0) return false;
  const auto allowed = worker.ahead_routes(backlog_.ready_routes(), within, routes_);
  if (allowed == 0) return false;
  auto* const task = backlog_.take(allowed, false, routes_);
  if (task == nullptr) return false;
  if (task->was_aboard) {  // it is the next one for an idle slot
    backlog_.settle_up(*task, Duration::zero());
    backlog_.push_front(*task);
    return false;
  }
  hand_out(*task, worker.peer, now, out);
  return true;
}

/// A task that several workers died with is tried alone: one at a time in the whole fleet, in a
/// worker that is emptied for it. While workers die one after the other it waits.
bool Dispatcher::assign_suspect(Time now, Effects& out) {
  if (suspect_out_) return false;
  const auto* kept = workers_.find(alone_);
  auto* task = deaths_.on() ? nullptr : suspect_for(kept);
  if (kept != nullptr && task == nullptr) {  // nothing more to keep it for
    let_worker_go(alone_);
    kept = nullptr;
    if (!deaths_.on()) task = suspect_for(nullptr);
  }
  if (task == nullptr) return false;
  if (kept == nullptr) {
    kept = workers_.emptiest(task->route);
    alone_ = kept->peer;
    workers_.update(alone_, [](Worker& worker) { worker.alone = true; });
  }
  if (kept->leased > 0 || kept->full) return false;  // not yet
  hand_out(*task, alone_, now, out);
  suspect_out_ = task->state == TaskState::leased;
  return true;
}

/// The suspect that has waited longest of those that `kept` can try, or where it is null: any
/// worker.
Task* Dispatcher::suspect_for(const Worker* kept) {
  for (const auto& id : suspects_) {
    auto& task = task_at(id);
    if (task.source->paused) continue;
    const bool can = kept != nullptr ? kept->serves(task.route) && kept->in_service()
                                     : workers_.emptiest(task.route) != nullptr;
    if (can) return &task;
  }
  return nullptr;
}

/// The worker was kept for a suspect and is not any more.
void Dispatcher::let_worker_go(PeerId worker) {
  if (!worker || worker != alone_) return;
  alone_ = PeerId{};
  workers_.update(worker, [](Worker& kept) { kept.alone = false; });
}

/// Or ends it, where its deadline has passed.
void Dispatcher::hand_out(Task& task, PeerId worker, Time now, Effects& out) {
  FRAMEFLEET_ASSERT(task.state == TaskState::ready);
  leave_waiting(task);
  if (task.deadline <= now) {
    end_unworked(task, Status::expired, Reason::deadline_passed, now, out);
    return;
  }
  ledger_.moved(task, TaskState::leased);
  task.handed_out_at = now;
  ++task.attempts;
  workers_.took_task(worker, now + options_.recall_delay);
  const auto lease = leases_.open(task.id, worker, now + options_.lease_duration);
  task.lease = lease.counter;
  Assign one;
  auto& assigned = one.tasks.emplace_back();
  assigned.id = task.id;
  assigned.lease = lease;
  assigned.attempt = task.attempts;
  assigned.lease_duration = options_.lease_duration;
  if (task.deadline != kNever) assigned.ttl_left = task.deadline - now;
  assigned.age = now - task.admitted_at;
  assigned.source = task.source->name;
  assigned.task_class = task.task_class;
  assigned.task = task.texts.description();
  assigned.payload = task.payload;
  out.push_back(SendTo{worker, std::move(one)});
}

/// What waits behind a task that takes longer than expected is better off elsewhere.
void Dispatcher::recall_the_stuck(Time now, Effects& out) {
  if (now < workers_.recall_not_before()) return;
  for (const auto& [peer, worker] : workers_.all()) {
    if (worker.recall_at > now) continue;
    Recall recall;
    for (const auto& lease : leases_.unstarted_of(peer, worker.slots)) {
      recall.tasks.push_back({lease.task, lease.id});
    }
    counts_.recalled += recall.tasks.size();
    workers_.update(peer, [](Worker& stuck) { stuck.recall_at = kNever; });
    if (!recall.tasks.empty()) out.push_back(SendTo{peer, std::move(recall)});
  }
  workers_.look_for_recalls();
}

}  // namespace framefleet::broker
