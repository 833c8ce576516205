#pragma once
// The broker's core: decides what happens to every task, from submit to settled.
//
//   submit ──▶ ready ──assign──▶ leased ──result──▶ storing ──stored──▶ settled
//                ▲                  │                  ▲
//                └── delayed ◀──────┴── attempts used up, a reason that is final, too late,
//                                       superseded, cancelled
//
// Takes (event, now), appends effects; owns no socket, thread, clock, random generator or pixel.
// The shell hands over decoded messages whose payloads it has put away under a PayloadId; a payload
// is released by exactly one ReleasePayload effect. Deterministic. Not thread-safe.

#include "broker/core/backlog.hpp"
#include "broker/core/death_watch.hpp"
#include "broker/core/demand.hpp"
#include "broker/core/effects.hpp"
#include "broker/core/forwarded_controls.hpp"
#include "broker/core/lease_table.hpp"
#include "broker/core/ledger.hpp"
#include "broker/core/options.hpp"
#include "broker/core/pending.hpp"
#include "broker/core/quotas.hpp"
#include "broker/core/retry_policy.hpp"
#include "broker/core/route_table.hpp"
#include "broker/core/settled_memory.hpp"
#include "broker/core/status.hpp"
#include "broker/core/storing_table.hpp"
#include "broker/core/task_table.hpp"
#include "broker/core/worker_registry.hpp"

#include "shared/base/messages.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace framefleet::broker {

class Dispatcher {
 public:
  explicit Dispatcher(CoreOptions options);

  void receive(PeerId from, Message message, Time now, Effects& out);
  /// The peer broke the protocol; `text` says how. It is answered and the connection forgotten.
  void turn_away(PeerId from, Reason reason, const std::string& text, Time now, Effects& out);
  /// The peer cannot be reached any more.
  void peer_gone(PeerId peer, Time now, Effects& out);
  /// Take nothing new, finish what there is, say goodbye to everybody, then emit Drained.
  void drain(Effects& out);
  /// drain() was called, or an operator asked for it.
  bool draining() const { return draining_; }
  /// Who is in the allow-list, and what each may send and hold.
  void set_identities(const std::map<std::string, QuotaLimits>& limits);
  /// Time passed. Call at `next_deadline()` or later.
  void tick(Time now, Effects& out);

  // With a journal (CoreOptions::journal). The effects WriteTask, WriteAttempt and WriteEnd go into
  // it in their order, together with changed_books() of the same moment.

  /// Begins with the books of an earlier broker. Requires: called first, if at all.
  void restore(const FleetBook& fleet, const std::vector<JobBook>& jobs,
               const std::vector<SourceBook>& sources, Time now);
  /// It waits until a sink has said whether its outcome is stored.
  void restore(RestoredTask restored, Time now);
  /// It was there, and is damaged: it ends as lost, which the sink will be told. After those that
  /// are whole. `known`: its id, and the rest where that can be read.
  void restore_damaged(JournaledTask known, const std::string& text, Time now, Effects& out);
  /// After the last of them: the books agree with what is there.
  void end_restore(Time now);
  /// What changed since the last call.
  JournaledBooks changed_books();
  /// Grows with all that must be written before an answer; up to here it is in effects and books.
  std::uint64_t to_be_written() const { return unwritten_.given(); }
  /// All of that is on the disk, up to this number.
  void written(std::uint64_t number, Time now, Effects& out);
  /// While it is full, tasks that it would have to keep are answered busy.
  void journal_full(bool full) { journal_full_ = full; }

  Time next_deadline() const;
  DispatcherStats stats(Time now) const;
  FleetStatus fleet_status(Time now) const;
  std::vector<WorkerRow> worker_rows(Time now) const;
  std::vector<SourceRow> source_rows(Time now) const;
  std::vector<JobRow> job_rows(Time now) const;
  /// One job's row; nothing where it is not known.
  std::optional<JobRow> job_row(const std::string& name, Time now) const;
  /// Asserts that the tables, the ledger and the byte counts agree. For tests: visits all.
  void check_invariants() const;

 private:
  // Connections (dispatcher_peers.cpp)
  void on_hello(PeerId from, Hello hello, Time now, Effects& out);
  std::optional<Refused> refusal_of(const Hello& hello, const Quota* quota) const;
  std::optional<Refused> refusal_of_sink(const Hello& hello) const;
  void welcome_worker(PeerId from, const Hello& hello, Time now);
  void on_heartbeat(PeerId from, const Heartbeat& heartbeat, Time now, Effects& out);
  void on_goodbye(PeerId from, Time now, Effects& out);
  void forget(PeerId peer, Reason reason, Time now, Effects& out);
  void forget_worker(PeerId peer, Reason reason, Time now, Effects& out);
  void expire_silent_peers(Time now, Effects& out);
  void say_farewell_when_empty(Effects& out);
  void on_drain(PeerId from, Time now, Effects& out);
  void note_service(PeerId from, Time now);
  void note_routes(Time now);
  void fail_unroutable(Time now, Effects& out);
  Time unroutable_at(const Task& task) const;

  // Their sources (dispatcher_sources.cpp)
  void on_sources(PeerId from, Sources said, Time now, Effects& out);
  void claim(PeerId from, const SourceClaim& claim, Time now, Effects& out);
  void abandon(PeerId from, const SourceClaim& claim, Reason reason, Time now, Effects& out);

  // The journal (dispatcher_journal.cpp)
  bool is_kept(const auto& task) const {
    return options_.journal && task.task_class == TaskClass::batch && !task.gone;
  }
  JournaledTask journaled(const Task& task, Time now) const;
  void answer_once_written(PeerId peer, Message message, Effects& out);
  void ask_for_the_restored(Time now, Effects& out);
  void on_known_of_restored(const Known& known, Time now, Effects& out);

  // Questions about earlier tasks (dispatcher_asks.cpp)
  void on_ask(PeerId from, const Ask& ask, Time now, Effects& out);
  void on_known(const Known& known, Time now, Effects& out);
  void make_room_for_ask(PeerId from, const std::vector<TaskId>& tasks, Effects& out);
  void forward_ask(std::uint64_t number, PendingAsk& pending, Time now, Effects& out);
  void answer_late_asks(Time now, Effects& out);

  // Operators (dispatcher_operators.cpp)
  void on_control(PeerId from, const Control& control, Time now, Effects& out);
  void ask_to_reload(PeerId from, const Control& control, Effects& out);
  Report drain_workers(const std::string& name, Time now, Effects& out);
  void drain_idlest(PeerId from, const Control& control, Time now, Effects& out);
  void ask_to_leave(PeerId worker, Time now, Effects& out);
  Report pause_or_resume(const Control& control, Time now);
  Report cancel_job(const std::string& name, Time now, Effects& out);
  Report cancel_tasks(const std::vector<TaskId>& ids, Time now, Effects& out);
  bool cancel(Task& task, Time now, Effects& out);

  // Submits (dispatcher_submits.cpp)
  void on_submit(PeerId from, const Submit& submit, Time now, Effects& out);
  void submit_unaccounted(PeerId from, const SubmittedTask& task, Time now, Effects& out);
  void submit_one(PeerId from, const SubmittedTask& task, Time now, SubmitAnswers& answers,
                  Effects& out);
  std::optional<Busy> busy_answer(PeerId from, const SubmittedTask& task, Time now) const;
  std::optional<RejectedTask> reject_answer(PeerId from, const SubmittedTask& task);
  void admit(PeerId from, const SubmittedTask& submitted, RouteId route, Time now, Effects& out);
  void admit_live(Task& task, Time now, Effects& out);
  void note_offer(const SubmittedTask& task, Time now);

  // Hand-outs (dispatcher_assign.cpp)
  void assign_all(Time now, Effects& out);
  bool assign_idle(Time now, Effects& out);
  bool assign_ahead(Time now, Effects& out);
  bool assign_behind(const Worker& worker, Duration within, Time now, Effects& out);
  bool assign_suspect(Time now, Effects& out);
  Task* suspect_for(const Worker* kept);
  void hand_out(Task& task, PeerId worker, Time now, Effects& out);
  void let_worker_go(PeerId worker);
  void recall_the_stuck(Time now, Effects& out);

  // What workers say (dispatcher_results.cpp)
  void on_results(PeerId from, const Results& results, Time now, Effects& out);
  void on_result(PeerId from, const TaskResult& result, Time now, Effects& out);
  bool take_from_before(const TaskResult& result, Time now, Effects& out);
  void on_nack(PeerId from, const Nack& nack, Time now, Effects& out);
  void on_release(PeerId from, const Release& release, Time now, Effects& out);
  void hand_back(const Lease& lease, Reason reason, const std::string& text, Time now,
                 Effects& out);
  void remember_attempt(Task& task, const std::string& worker, Reason reason,
                        const std::string& text);
  void ready_again(Task& task, Time now, Effects& out);
  void take_up(Task& task, Time now, Effects& out);
  void take_back(Task& task, Reason reason, Time now, Effects& out);
  void close_lease(const Lease& lease, const Task& task, Reason reason, Duration worked, Time now,
                   Effects& out);
  void measure(Task& task, PeerId worker, Duration service);
  void pay_for_attempt(Task& task, Reason reason, Time now);
  std::optional<Lease> close_held(PeerId by, const LeaseId& lease, const TaskId& task);
  bool holds(PeerId peer, const LeaseId& lease) const;
  void stale(PeerId to, const TaskId& task, const LeaseId& lease, Effects& out);
  void answer_unexpected_result(PeerId from, const TaskResult& result, Effects& out);

  // Ends (dispatcher.cpp)
  void note_deadline(const Task& task);
  void note_waiting(const Task& task);
  void leave_waiting(Task& task);
  void count_bytes(const Task& task);
  void uncount_bytes(const Task& task);
  Outcome outcome_of(const Task& task, Time now) const;
  void end_unworked(Task& task, Status status, Reason reason, Time now, Effects& out);
  void leave_backlog(Task& task);
  void end_task(Task& task, Outcome outcome, PeerId worker, const LeaseId& lease, Time now,
                Effects& out);
  void send_outcomes(Time now, Effects& out);
  void on_stored(const Stored& stored, Time now, Effects& out);
  void settle(const SettledTask& settled, Time now, Effects& out);
  void forget_settled(Task& task, const SettledTask& settled, Duration storing, Time now,
                      Effects& out);
  void note_end_of(Job* job, Time now, Effects& out);
  void expire_overdue(Time now, Effects& out);
  Task& task_at(const TaskId& id);
  LeaseId lease_of(const Task& task) const { return {options_.incarnation, task.lease}; }
  bool is_suspect(const Task& task) const { return task.charges.lost >= options_.suspect_losses; }
  bool sink_keeps_up() const;

  CoreOptions options_;
  RouteTable routes_;
  Quotas quotas_;
  Backlog backlog_;
  LeaseTable leases_;
  StoringTable storing_;
  WorkerRegistry workers_;
  Ledger ledger_;
  SettledMemory settled_;
  DeathWatch deaths_;
  Demand demand_;

  TaskTable tasks_;
  std::set<std::pair<Time, TaskId>> delayed_;  // by the end of their back-off
  std::set<std::pair<Time, TaskId>> overdue_;  // ready and delayed tasks with a ttl, by its end
  std::deque<TaskId> suspects_;                // ready, to be tried alone
  PeerId alone_;                               // the worker kept for a suspect, or at work on it
  bool suspect_out_{false};                    // it is at work on it
  std::map<PeerId, Peer> peers_;               // everybody who was welcomed
  std::set<std::string> announced_;            // detectors that some worker had, ever
  std::map<std::uint64_t, PendingAsk> asks_;   // by the number the sink is asked under
  ForwardedControls forwarded_;
  PeerId sink_{};
  std::string store_;  // UUID of the sink's store, once one was here
  std::uint64_t ask_numbers_{0};
  std::uint64_t backlog_bytes_{0};
  Time resend_outcomes_at_{kNever};   // while the sink has some that it did not confirm
  Time next_silence_check_{kNever};   // no peer can be silent for too long before this
  Time unroutable_check_at_{kNever};  // when to look for tasks that nobody here can do
  UnwrittenAnswers unwritten_;
  bool fleet_changed_{false};  // what the fleet's book says of the dispatcher
  bool journal_full_{false};
  bool paused_{false};
  bool draining_{false};
  bool farewell_said_{false};
  EventCounts counts_;
};

}  // namespace framefleet::broker
