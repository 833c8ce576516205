#include "broker/core/dispatcher.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace framefleet::broker {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

/// A worker keeps a result until it hears that it is stored, and needs its bytes no sooner than it
/// hears from us anyway; with many workers hardly two such words go to one of them in a turn.
constexpr Duration kEndCanWait = std::chrono::milliseconds{200};

/// What the keys may hold together: memory's cap, or the journal's where that is the smaller one.
std::uint64_t held_bytes_max(const CoreOptions& options) {
  const auto of_journal = options.journal_bytes_max / 2;
  return of_journal == 0 ? options.backlog_bytes_max
                         : std::min(options.backlog_bytes_max, of_journal);
}

/// By the detectors they need, of those routes that no worker in service has, while there are
/// workers.
std::vector<std::pair<std::string, std::uint64_t>> unroutable_tasks(const Backlog& backlog,
                                                                    const RouteTable& all) {
  std::vector<std::pair<std::string, std::uint64_t>> rows;
  for (RouteMask left = backlog.ready_routes(); left != 0; left &= left - 1) {
    const auto route = static_cast<RouteId>(std::countr_zero(left));
    if (all.unserved_since(route) == kNever) continue;
    std::string names;
    for (const auto& name : all.at(route)) names += (names.empty() ? "" : ",") + name;
    rows.emplace_back(std::move(names), all.tasks(route));
  }
  return rows;
}

}  // namespace

Dispatcher::Dispatcher(CoreOptions options)
    : options_(options),
      quotas_(options.backlog_tasks_max, held_bytes_max(options)),
      backlog_(options.lower_priority_share),
      leases_(options.incarnation),
      ledger_(options.accounts_max),
      settled_(options.settled_memory),
      deaths_(options.dying_window),
      demand_(options.demand) {
  if (options.journal) ledger_.keep_changes();
}

void Dispatcher::set_identities(const std::map<std::string, QuotaLimits>& limits) {
  quotas_.set_listed(limits);
}

void Dispatcher::receive(PeerId from, Message message, Time now, Effects& out) {
  if (auto* hello = std::get_if<Hello>(&message)) {
    on_hello(from, std::move(*hello), now, out);
    return;
  }
  const auto release_all = [&] {
    for_each_payload(message, [&](const Payload& payload) {
      if (payload.id) out.push_back(ReleasePayload{payload.id});
    });
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
  std::visit(
      Overloaded{
          [&](Heartbeat& heartbeat) { on_heartbeat(from, heartbeat, now, out); },
          [&](Goodbye&) { on_goodbye(from, now, out); },
          [&](Submit& submit) { only(Role::producer, [&] { on_submit(from, submit, now, out); }); },
          [&](Ask& ask) { only(Role::producer, [&] { on_ask(from, ask, now, out); }); },
          [&](Results& results) {
            only(Role::worker, [&] { on_results(from, results, now, out); });
          },
          [&](Nack& nack) { only(Role::worker, [&] { on_nack(from, nack, now, out); }); },
          [&](Release& release) {
            only(Role::worker, [&] { on_release(from, release, now, out); });
          },
          [&](Drain&) { only(Role::worker, [&] { on_drain(from, now, out); }); },
          [&](Stored& stored) { only(Role::sink, [&] { on_stored(stored, now, out); }); },
          [&](Known& known) { only(Role::sink, [&] { on_known(known, now, out); }); },
          [&](Report& report) {
            const bool answers = role == Role::sink || role == Role::producer;
            answers ? forwarded_.heard(from, report, out) : wrong_role();
          },
          [&](Sources& sources) {
            only(Role::producer, [&] { on_sources(from, std::move(sources), now, out); });
          },
          [&](Control& control) {
            only(Role::client, [&] { on_control(from, control, now, out); });
          },
          [&](auto&) { wrong_role(); },
      },
      message);
  say_farewell_when_empty(out);
}

void Dispatcher::tick(Time now, Effects& out) {
  expire_silent_peers(now, out);
  while (const auto lease = leases_.pop_expired(now)) {
    hand_back(*lease, Reason::lease_expired, "", now, out);
  }
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    take_up(task_at(delayed_.begin()->second), now, out);
  }
  expire_overdue(now, out);
  answer_late_asks(now, out);
  if (now >= resend_outcomes_at_) {
    storing_.send_again();
    resend_outcomes_at_ = kNever;
    send_outcomes(now, out);
  }
  fail_unroutable(now, out);
  if (now >= ledger_.owners_awaited_until()) {
    ledger_.await_owners(kNever);
    for (const auto* job : ledger_.jobs()) note_end_of(ledger_.find_job(job->name), now, out);
  }
  if (now >= deaths_.next_deadline() && deaths_.look(now))
    out.push_back(WorkersDying{deaths_.on(), deaths_.count()});
  recall_the_stuck(now, out);
  assign_all(now, out);
  say_farewell_when_empty(out);
}

Time Dispatcher::next_deadline() const {
  Time next = std::min({next_silence_check_, leases_.next_deadline(), resend_outcomes_at_,
                        deaths_.next_deadline(), ledger_.owners_awaited_until(),
                        workers_.recall_not_before()});
  if (!delayed_.empty()) next = std::min(next, delayed_.begin()->first);
  if (!overdue_.empty()) next = std::min(next, overdue_.begin()->first);
  for (const auto& [number, ask] : asks_) next = std::min(next, ask.answer_by);
  if (sink_ && !paused_) next = std::min(next, unroutable_check_at_);
  return next;
}

// --- ends
// ----------------------------------------------------------------------------------------

/// A task that waits may become too late.
void Dispatcher::note_deadline(const Task& task) {
  if (task.deadline != kNever) overdue_.emplace(task.deadline, task.id);
}

/// A ready task may also be one that nobody here can do.
void Dispatcher::note_waiting(const Task& task) {
  note_deadline(task);
  unroutable_check_at_ = std::min(unroutable_check_at_, unroutable_at(task));
}

/// Takes a ready or delayed task out of whatever it waits in.
void Dispatcher::leave_waiting(Task& task) {
  if (task.deadline != kNever) overdue_.erase({task.deadline, task.id});
  if (task.source->waiting_live == &task) task.source->waiting_live = nullptr;
  if (task.state == TaskState::delayed) {
    delayed_.erase({task.past->due_at, task.id});
    task.past->due_at = kNever;
    task.unsure = false;
  } else if (task.flow != nullptr) {
    backlog_.remove(task);
  } else if (const auto position = std::find(suspects_.begin(), suspects_.end(), task.id);
             position != suspects_.end()) {
    suspects_.erase(position);
  }
}

/// The bytes of a task in the tallies of the broker, of its source and of its producer. What
/// changes them stands between uncount and count.
void Dispatcher::count_bytes(const Task& task) {
  const auto bytes = task.bytes();
  backlog_bytes_ += bytes;
  task.source->bytes += bytes;
  if (const auto owner = peers_.find(task.source->owner); owner != peers_.end()) {
    owner->second.bytes += bytes;
  }
}

void Dispatcher::uncount_bytes(const Task& task) {
  const auto bytes = task.bytes();
  backlog_bytes_ -= bytes;
  task.source->bytes -= bytes;
  if (const auto owner = peers_.find(task.source->owner); owner != peers_.end()) {
    owner->second.bytes -= bytes;
  }
}

Outcome Dispatcher::outcome_of(const Task& task, Time now) const {
  Outcome outcome;
  outcome.id = task.id;
  outcome.source = task.source->name;
  outcome.job = task.job == nullptr ? std::string{} : task.job->name;
  outcome.task_class = task.task_class;
  outcome.attempts = task.attempts;
  const Time handed_out_at = task.attempts == 0 ? now : task.handed_out_at;
  outcome.queued = handed_out_at - task.admitted_at;
  outcome.leased = now - handed_out_at;
  outcome.task = task.texts.description();
  if (task.past != nullptr) {
    outcome.history = task.past->history;
    outcome.revived_from = task.past->revived_from;
  }
  return outcome;
}

/// The end of a task that nobody is at, without its picture.
void Dispatcher::end_unworked(Task& task, Status status, Reason reason, Time now, Effects& out) {
  auto outcome = outcome_of(task, now);
  outcome.status = status;
  outcome.reason = reason;
  if (task.payload.id) out.push_back(ReleasePayload{task.payload.id});
  end_task(task, std::move(outcome), {}, {}, now, out);
}

/// Out of everything that counts against the caps. Its payload is somebody else's from here on.
void Dispatcher::leave_backlog(Task& task) {
  if (task.state == TaskState::ready || task.state == TaskState::delayed) leave_waiting(task);
  uncount_bytes(task);
  if (!is_kept(task)) task.quota_part.free_bytes();  // else a journal has them until it is settled
  if (const auto owner = peers_.find(task.source->owner); owner != peers_.end()) {
    --owner->second.tasks;
  }
  task.payload = {};
  task.texts = TaskTexts(task.texts.digest(), {});
  task.past.reset();
  ledger_.moved(task, TaskState::storing);
}

void Dispatcher::end_task(Task& task, Outcome outcome, PeerId worker, const LeaseId& lease,
                          Time now, Effects& out) {
  leave_backlog(task);
  storing_.add({std::move(outcome), worker, lease, task.written_by});
  send_outcomes(now, out);
}

void Dispatcher::send_outcomes(Time now, Effects& out) {
  if (sink_) {
    while (const auto* outcome = storing_.send_next(options_.sink_window, unwritten_.written())) {
      if (resend_outcomes_at_ == kNever) {
        resend_outcomes_at_ = now + options_.outcome_resend_interval;
      }
      Outcomes one;
      one.outcomes.push_back(*outcome);
      out.push_back(SendTo{sink_, std::move(one)});
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
  if (closed->outcome.payload.id) out.push_back(ReleasePayload{closed->outcome.payload.id});
  auto& task = task_at(settled.id);
  const Time ended_at = task.admitted_at + closed->outcome.queued + closed->outcome.leased;
  forget_settled(task, settled, now - ended_at, now, out);
  if (const auto* worker = workers_.find(closed->worker)) {
    const auto can_wait = worker->draining ? Duration::zero() : kEndCanWait;
    out.push_back(SendTo{worker->peer, Settled{{settled}}, can_wait});
  }
}

/// Its outcome is stored: the books and its submitter hear of it, and it is gone.
void Dispatcher::forget_settled(Task& task, const SettledTask& settled, Duration storing, Time now,
                                Effects& out) {
  auto& source = *task.source;
  auto* const job = task.job;
  ledger_.settled(task, settled.status, now);
  // Not before: whoever begins with the journal finds it there, and needs a number for it.
  routes_.leave(task.route);
  out.push_back(
      TaskSettled{settled.id, settled.status, settled.reason, now - task.admitted_at, storing});
  if (is_kept(task)) out.push_back(WriteEnd{settled.id});
  task.quota_part.free();
  tasks_.remove(task);
  settled_.remember(settled);
  if (source.owner) out.push_back(SendTo{source.owner, Settled{{settled}}});
  if (source.in_progress.in_all() == 0) backlog_.forget(source);
  note_end_of(job, now, out);
}

void Dispatcher::note_end_of(Job* job, Time now, Effects& out) {
  if (job != nullptr && ledger_.ends(*job, now)) out.push_back(JobEnded{job->name});
}

void Dispatcher::expire_overdue(Time now, Effects& out) {
  while (!overdue_.empty() && overdue_.begin()->first <= now) {
    end_unworked(task_at(overdue_.begin()->second), Status::expired, Reason::deadline_passed, now,
                 out);
  }
}

Task& Dispatcher::task_at(const TaskId& id) {
  auto* const task = tasks_.find(id);
  FRAMEFLEET_ASSERT(task != nullptr);
  return *task;
}

// --- looking
// -------------------------------------------------------------------------------------

FleetStatus Dispatcher::fleet_status(Time now) const {
  FleetStatus status;
  status.in_progress = ledger_.in_progress();
  status.total = ledger_.total();
  status.unaccounted = ledger_.unaccounted();
  status.backlog_bytes = backlog_bytes_;
  status.unstored_bytes = storing_.bytes();
  if (const Time oldest = backlog_.oldest(); oldest != kNever) status.oldest = now - oldest;
  status.workers = workers_.all().size();
  for (const auto& [peer, worker] : workers_.all()) {
    status.slots += worker.slots;
    if (worker.draining) {
      ++status.workers_draining;
    } else if (!worker.in_service()) {
      ++status.workers_not_ready;
    }
  }
  status.free_slots = workers_.free_slots();
  status.demand = demand_.row(ledger_.known_work(), now);
  for (const auto& [id, peer] : peers_) {
    status.producers += peer.hello.role == Role::producer ? 1U : 0U;
    status.sources_connected += peer.hello.sources.size();
  }
  status.sources = ledger_.source_count();
  status.jobs = ledger_.job_count();
  status.suspects = suspects_.size();
  status.workers_dying = deaths_.on();
  status.sink_connected = static_cast<bool>(sink_);
  status.paused = paused_;
  status.draining = draining_;
  return status;
}

DispatcherStats Dispatcher::stats(Time now) const {
  DispatcherStats stats{counts_};
  stats.fleet = fleet_status(now);
  stats.by_source = ledger_.labelled();
  stats.live_sources = ledger_.live_sources(now);
  stats.unroutable = unroutable_tasks(backlog_, routes_);
  return stats;
}

std::vector<WorkerRow> Dispatcher::worker_rows(Time now) const {
  std::vector<WorkerRow> rows;
  for (const auto& [peer, worker] : workers_.all()) {
    rows.push_back({.name = worker.name,
                    .build = worker.build,
                    .detectors = worker.detectors,
                    .slots = worker.slots,
                    .leased = worker.leased,
                    .draining = worker.draining,
                    .not_ready = worker.not_ready,
                    .with_suspect = worker.alone,
                    .mean_service = worker.service.value(),
                    .finished = worker.finished,
                    .silent = now - peers_.at(peer).heard_at});
  }
  std::stable_sort(rows.begin(), rows.end(), [](const WorkerRow& left, const WorkerRow& right) {
    return left.name < right.name;
  });
  return rows;
}

std::vector<JobRow> Dispatcher::job_rows(Time now) const {
  std::vector<JobRow> rows;
  for (const auto* job : ledger_.jobs()) rows.push_back(row_of(*job, now));
  if (ledger_.other_jobs().submitted > 0) {
    JobRow other;
    other.name = "other";
    other.account = ledger_.other_jobs();
    other.finished = true;
    rows.push_back(std::move(other));
  }
  return rows;
}

std::optional<JobRow> Dispatcher::job_row(const std::string& name, Time now) const {
  const auto* job = ledger_.find_job(name);
  return job == nullptr ? std::nullopt : std::optional{row_of(*job, now)};
}

}  // namespace framefleet::broker
