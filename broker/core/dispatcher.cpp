#include "broker/core/dispatcher.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::broker {
namespace {

/// History kept per task: enough for every allowed attempt at the defaults.
constexpr std::size_t kHistoryMax = 16;

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

void release_payload(const Payload& payload, Effects& out) {
  if (payload.id) out.push_back(ReleasePayload{payload.id});
}

}  // namespace

Dispatcher::Dispatcher(CoreOptions options)
    : options_(options), leases_(options.incarnation), settled_(options.settled_memory) {}

void Dispatcher::receive(PeerId from, Message message, Time now, Effects& out) {
  if (auto* hello = std::get_if<Hello>(&message)) {
    on_hello(from, std::move(*hello), now, out);
    return;
  }
  const auto release_all = [&] {
    for_each_payload(message, [&](const Payload& payload) { release_payload(payload, out); });
  };
  const auto peer = peers_.find(from);
  if (peer == peers_.end()) {
    // Somebody we have forgotten, or who never said hello: nothing but a hello helps.
    release_all();
    if (!std::holds_alternative<Goodbye>(message)) out.push_back(SendTo{from, Goodbye{}});
    out.push_back(ForgetPeer{from});
    return;
  }
  peer->second.heard_at = now;
  const Role role = peer->second.hello.role;
  const auto wrong_role = [&] {
    release_all();
    turn_away(from, Reason::wrong_role,
              "a " + std::string(to_string(role)) + " does not send '" +
                  std::string(name_of(message)) + "'",
              now, out);
  };
  const auto only = [&](Role allowed, auto act) { role == allowed ? act() : wrong_role(); };
  std::visit(Overloaded{
                 [&](Heartbeat& heartbeat) { on_heartbeat(from, heartbeat, now, out); },
                 [&](Goodbye&) { on_goodbye(from, now, out); },
                 [&](Submit& submit) {
                   only(Role::producer, [&] { on_submit(from, std::move(submit), now, out); });
                 },
                 [&](Ask& ask) { only(Role::producer, [&] { on_ask(from, ask, now, out); }); },
                 [&](TaskResult& result) {
                   only(Role::worker, [&] { on_result(from, result, now, out); });
                 },
                 [&](Nack& nack) { only(Role::worker, [&] { on_nack(from, nack, now, out); }); },
                 [&](Release& release) {
                   only(Role::worker, [&] { on_release(from, release, now, out); });
                 },
                 [&](Drain&) { only(Role::worker, [&] { on_drain(from, now); }); },
                 [&](Stored& stored) { only(Role::sink, [&] { on_stored(stored, now, out); }); },
                 [&](Known& known) { only(Role::sink, [&] { on_known(known, out); }); },
                 [&](auto&) { wrong_role(); },
             },
             message);
  say_farewell_when_empty(out);
}

void Dispatcher::on_submit(PeerId from, Submit submit, Time now, Effects& out) {
  for (auto& task : submit.tasks) submit_one(from, std::move(task), now, out);
  assign_all(now, out);
}

void Dispatcher::submit_one(PeerId from, SubmittedTask task, Time now, Effects& out) {
  if (const auto known = tasks_.find(task.id); known != tasks_.end()) {
    ++duplicate_submits_;
    release_payload(task.payload, out);
    const auto& before = known->second.submitted;
    const bool other =
        !before.digest.empty() && !task.digest.empty() && before.digest != task.digest;
    if (other) {
      out.push_back(SendTo{from, Rejected{{{task.id, Reason::conflict,
                                            "this id is in progress with another payload"}}}});
    } else {
      out.push_back(SendTo{from, Admitted{{{task.id, false}}}});
    }
    return;
  }
  if (const auto* settled = settled_.find(task.id)) {
    ++duplicate_submits_;
    release_payload(task.payload, out);
    out.push_back(SendTo{from, Settled{{*settled}}});
    return;
  }
  if (auto rejected = reject_answer(from, task)) {
    // Not a word of this producer's about its source: another one's books stay as they are.
    if (rejected->reason != Reason::not_owner) ledger_.rejected(task.source);
    release_payload(task.payload, out);
    out.push_back(SendTo{from, Rejected{{std::move(*rejected)}}});
    return;
  }
  if (auto busy = busy_answer(task)) {
    ++busy_answers_;
    release_payload(task.payload, out);
    out.push_back(SendTo{from, std::move(*busy)});
    return;
  }
  const TaskId id = task.id;
  ledger_.admitted(task.source);
  backlog_bytes_ += task.payload.bytes;
  backlog_.push_back(id, task.detectors);
  Task record;
  record.submitted = std::move(task);
  record.admitted_at = now;
  record.queued_at = now;
  tasks_.emplace(id, std::move(record));
  out.push_back(SendTo{from, Admitted{{{id, false}}}});
}

std::optional<RejectedTask> Dispatcher::reject_answer(PeerId from,
                                                      const SubmittedTask& task) const {
  const auto owner = owners_.find(task.source);
  if (owner == owners_.end() || owner->second != from) {
    return RejectedTask{task.id, Reason::not_owner,
                        "source '" + task.source + "' was not claimed in this producer's hello"};
  }
  if (task.id.epoch != epochs_.at(task.source)) {
    return RejectedTask{task.id, Reason::stale_epoch,
                        "source '" + task.source + "' was claimed with another epoch"};
  }
  if (task.task_class != TaskClass::batch) {
    return RejectedTask{task.id, Reason::malformed, "this broker serves the class 'batch' alone"};
  }
  if (task.priority != 0) {
    return RejectedTask{task.id, Reason::malformed, "this broker does not serve priorities"};
  }
  if (task.ttl != Duration::zero()) {
    return RejectedTask{task.id, Reason::malformed, "this broker does not serve a ttl"};
  }
  if (task.payload.bytes > options_.payload_bytes_max) {
    return RejectedTask{task.id, Reason::too_large_payload,
                        "the payload has " + std::to_string(task.payload.bytes) +
                            " bytes; the limit is " + std::to_string(options_.payload_bytes_max)};
  }
  return std::nullopt;
}

std::optional<Busy> Dispatcher::busy_answer(const SubmittedTask& task) const {
  const auto busy = [&](Reason reason) { return Busy{{task.id}, reason, options_.busy_retry}; };
  if (draining_) return busy(Reason::draining);
  if (!sink_keeps_up()) return busy(Reason::sink_slow);
  if (tasks_.size() >= options_.backlog_tasks_max) return busy(Reason::backlog_tasks);
  // A task larger than the whole cap is let in when it is alone: it can never fit better.
  if (backlog_bytes_ > 0 && backlog_bytes_ + task.payload.bytes > options_.backlog_bytes_max) {
    return busy(Reason::backlog_bytes);
  }
  return std::nullopt;
}

void Dispatcher::on_result(PeerId from, const TaskResult& result, Time now, Effects& out) {
  const auto lease = close_held(from, result.lease, result.id);
  if (!lease) {
    answer_unexpected_result(from, result, out);
    return;
  }
  auto& task = task_at(result.id);
  close_lease(*lease, task, Reason::none, now, out);
  auto outcome = outcome_of(task, now);
  outcome.status = Status::ok;
  outcome.worked = result.elapsed;
  outcome.payload = result.payload;
  if (const auto* worker = workers_.find(lease->worker)) {
    outcome.worker = worker->name;
    outcome.build = worker->build;
  }
  release_payload(task.submitted.payload, out);
  end_task(std::move(outcome), from, result.lease, now, out);
  assign_all(now, out);
}

/// No such lease: it was closed by this very result, or it closes nothing.
void Dispatcher::answer_unexpected_result(PeerId from, const TaskResult& result, Effects& out) {
  release_payload(result.payload, out);
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
  if (nack.reason == Reason::drained) workers_.find(from)->full = true;
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
  workers_.find(from)->full = true;
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
  return holder != nullptr && asker != nullptr && holder->name == asker->name;
}

void Dispatcher::stale(PeerId to, const TaskId& task, const LeaseId& lease, Effects& out) {
  ++stale_results_;
  out.push_back(SendTo{to, Stale{{{task, lease}}}});
}

/// The hand-out is over without an outcome: again now, again later, or never again.
void Dispatcher::hand_back(const Lease& lease, Reason reason, const std::string& text, Time now,
                           Effects& out) {
  auto& task = task_at(lease.task);
  close_lease(lease, task, reason, now, out);
  const auto* worker = workers_.find(lease.worker);
  const std::string worker_name = worker == nullptr ? std::string{} : worker->name;
  if (reason != Reason::drained) {
    if (task.history.size() == kHistoryMax) task.history.erase(task.history.begin());
    task.history.push_back({task.attempts, worker_name, reason, text});
  }
  const auto verdict = judge(reason, task.charges, jitter_of(lease.task, task.attempts), options_);
  task.queued_at = now;
  switch (verdict.what) {
    case Verdict::What::again_now:
      --task.attempts;  // it never began
      task.state = TaskState::ready;
      backlog_.push_front(lease.task, task.submitted.detectors);
      return;
    case Verdict::What::again_later:
      task.state = TaskState::delayed;
      backlog_.push_delayed(lease.task, now + verdict.delay);
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
  outcome.payload = task.submitted.payload;
  end_task(std::move(outcome), lease.worker, {}, now, out);
}

void Dispatcher::close_lease(const Lease& lease, const Task& task, Reason reason, Time now,
                             Effects& out) {
  workers_.gave_back_slot(lease.worker);
  out.push_back(LeaseClosed{reason, task.handed_out_at - task.queued_at, now - task.handed_out_at});
}

Outcome Dispatcher::outcome_of(const Task& task, Time now) const {
  const auto& submitted = task.submitted;
  Outcome outcome;
  outcome.id = submitted.id;
  outcome.source = submitted.source;
  outcome.job = submitted.job;
  outcome.task_class = submitted.task_class;
  outcome.attempts = task.attempts;
  outcome.history = task.history;
  const Time handed_out_at = task.attempts == 0 ? now : task.handed_out_at;
  outcome.queued = handed_out_at - task.admitted_at;
  outcome.leased = now - handed_out_at;
  outcome.task = submitted.task;
  return outcome;
}

void Dispatcher::end_task(Outcome outcome, PeerId worker, const LeaseId& lease, Time now,
                          Effects& out) {
  auto& task = task_at(outcome.id);
  backlog_bytes_ -= task.submitted.payload.bytes;
  task.submitted.payload = {};
  task.state = TaskState::storing;
  storing_.add({std::move(outcome), worker, lease, task.admitted_at});
  send_outcomes(now, out);
}

void Dispatcher::send_outcomes(Time now, Effects& out) {
  if (sink_) {
    while (const auto* outcome = storing_.send_next(options_.sink_window)) {
      if (resend_outcomes_at_ == kNever)
        resend_outcomes_at_ = now + options_.outcome_resend_interval;
      out.push_back(SendTo{sink_, Outcomes{{*outcome}}});
    }
  }
  if (storing_.sent_count() == 0) resend_outcomes_at_ = kNever;
}

void Dispatcher::on_stored(const Stored& stored, Time now, Effects& out) {
  for (const auto& settled : stored.tasks) settle(settled, now, out);
  resend_outcomes_at_ = now + options_.outcome_resend_interval;  // the sink is alive and at it
  send_outcomes(now, out);
  assign_all(now, out);
}

void Dispatcher::settle(const SettledTask& settled, Time now, Effects& out) {
  auto closed = storing_.close(settled.id);
  if (!closed) return;  // said twice
  tasks_.erase(settled.id);
  release_payload(closed->outcome.payload, out);
  ledger_.settled(closed->outcome.source, settled.status);
  settled_.remember(settled);
  out.push_back(TaskSettled{settled.status, settled.reason, now - closed->admitted_at});
  const auto owner = owners_.find(closed->outcome.source);
  if (owner != owners_.end()) out.push_back(SendTo{owner->second, Settled{{settled}}});
  if (workers_.find(closed->worker) != nullptr) {
    out.push_back(SendTo{closed->worker, Settled{{settled}}});
  }
}

void Dispatcher::assign_all(Time now, Effects& out) {
  if (backlog_.routes_opened() != noted_routes_) note_routes(now);
  const auto may_assign = [this] { return sink_ && sink_keeps_up() && backlog_.ready_count() > 0; };
  while (may_assign() && workers_.visit_free([&](Worker& worker) {
    const auto id =
        backlog_.pop_ready([&worker](const Route& route) { return worker.serves(route); });
    if (id) assign(*id, worker, now, out);
    return id.has_value();
  })) {
  }
}

void Dispatcher::assign(const TaskId& id, Worker& worker, Time now, Effects& out) {
  auto& task = task_at(id);
  FRAMEFLEET_ASSERT(task.state == TaskState::ready);
  task.state = TaskState::leased;
  task.handed_out_at = now;
  ++task.attempts;
  workers_.took_task(worker.peer);
  const auto lease = leases_.open(id, worker.peer, now + options_.lease_duration);
  const auto& submitted = task.submitted;
  AssignedTask assigned;
  assigned.id = id;
  assigned.lease = lease;
  assigned.attempt = task.attempts;
  assigned.lease_duration = options_.lease_duration;
  assigned.age = now - task.admitted_at;
  assigned.source = submitted.source;
  assigned.task_class = submitted.task_class;
  assigned.task = submitted.task;
  assigned.payload = submitted.payload;
  out.push_back(SendTo{worker.peer, Assign{{std::move(assigned)}}});
}

Dispatcher::Task& Dispatcher::task_at(const TaskId& id) {
  const auto position = tasks_.find(id);
  FRAMEFLEET_ASSERT(position != tasks_.end());
  return position->second;
}

void Dispatcher::tick(Time now, Effects& out) {
  expire_silent_peers(now, out);
  while (const auto lease = leases_.pop_expired(now)) {
    hand_back(*lease, Reason::lease_expired, "", now, out);
  }
  while (const auto due = backlog_.pop_due(now)) {
    auto& task = task_at(*due);
    task.state = TaskState::ready;
    backlog_.push_front(*due, task.submitted.detectors);
  }
  answer_late_asks(now, out);
  if (now >= resend_outcomes_at_) {
    storing_.send_again();
    resend_outcomes_at_ = kNever;
    send_outcomes(now, out);
  }
  fail_unroutable(now, out);
  assign_all(now, out);
  say_farewell_when_empty(out);
}

Time Dispatcher::next_deadline() const {
  Time next = std::min(
      {next_silence_check_, leases_.next_deadline(), backlog_.next_due(), resend_outcomes_at_});
  for (const auto& [number, ask] : asks_) next = std::min(next, ask.answer_by);
  const Time unserved = backlog_.unserved_since();
  if (sink_ && unserved != kNever) next = std::min(next, unserved + options_.unroutable_timeout);
  return next;
}

DispatcherStats Dispatcher::stats() const {
  DispatcherStats stats;
  stats.ready = backlog_.ready_count();
  stats.delayed = backlog_.delayed_count();
  stats.leased = leases_.count();
  stats.storing = storing_.count();
  stats.backlog_bytes = backlog_bytes_;
  stats.unstored_bytes = storing_.bytes();
  stats.workers = workers_.all().size();
  for (const auto& [peer, worker] : workers_.all()) stats.slots += worker.slots;
  stats.free_slots = workers_.free_slots();
  for (const auto& [id, peer] : peers_)
    stats.producers += peer.hello.role == Role::producer ? 1U : 0U;
  stats.sink_connected = static_cast<bool>(sink_);
  stats.draining = draining_;
  stats.stale_results = stale_results_;
  stats.duplicate_submits = duplicate_submits_;
  stats.busy_answers = busy_answers_;
  stats.total = ledger_.total();
  stats.by_source = ledger_.by_source();
  return stats;
}

void Dispatcher::check_invariants() const {
  std::uint64_t bytes = 0;
  std::array<std::uint64_t, 4> in_state{};
  std::map<std::string, std::uint64_t> in_progress;
  for (const auto& [id, task] : tasks_) {
    FRAMEFLEET_ASSERT(id == task.submitted.id);
    ++in_state.at(static_cast<std::size_t>(task.state));
    ++in_progress[task.submitted.source];
    bytes += task.submitted.payload.bytes;
    FRAMEFLEET_ASSERT((task.state == TaskState::storing) == storing_.holds(id));
    FRAMEFLEET_ASSERT(task.charges.failed < options_.failed_attempts_max ||
                      task.state == TaskState::storing);
  }
  FRAMEFLEET_ASSERT(in_state[0] == backlog_.ready_count());
  FRAMEFLEET_ASSERT(in_state[1] == backlog_.delayed_count());
  FRAMEFLEET_ASSERT(in_state[2] == leases_.count());
  FRAMEFLEET_ASSERT(in_state[3] == storing_.count());
  FRAMEFLEET_ASSERT(bytes == backlog_bytes_);
  FRAMEFLEET_ASSERT(tasks_.size() <= options_.backlog_tasks_max);
  FRAMEFLEET_ASSERT(storing_.sent_count() <= options_.sink_window);
  for (const auto& [peer, worker] : workers_.all()) {
    FRAMEFLEET_ASSERT(worker.leased == leases_.count_of(peer));
    FRAMEFLEET_ASSERT(worker.leased <= worker.slots);
  }
  for (const auto& [source, account] : ledger_.by_source()) {
    FRAMEFLEET_ASSERT(account.submitted == account.rejected + account.admitted);
    FRAMEFLEET_ASSERT(account.admitted == account.settled_in_all() + in_progress[source]);
  }
}

}  // namespace framefleet::broker
