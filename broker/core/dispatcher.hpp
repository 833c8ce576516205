#pragma once
// The broker's core: decides what happens to every task, from submit to settled.
//
//   submit ──▶ ready ──assign──▶ leased ──result──▶ storing ──stored──▶ settled
//                ▲                  │                  ▲
//                └── delayed ◀──────┴── attempts used up, or a reason that is final
//
// Takes (event, now), appends effects; owns no socket, thread, clock, random generator or pixel.
// The shell hands over decoded messages whose payloads it has put away under a PayloadId; a payload
// is released by exactly one ReleasePayload effect. Not thread-safe. Deterministic: the same events
// give the same effects.

#include "broker/core/backlog.hpp"
#include "broker/core/effects.hpp"
#include "broker/core/lease_table.hpp"
#include "broker/core/ledger.hpp"
#include "broker/core/options.hpp"
#include "broker/core/retry_policy.hpp"
#include "broker/core/settled_memory.hpp"
#include "broker/core/storing_table.hpp"
#include "broker/core/worker_registry.hpp"

#include "shared/base/messages.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace framefleet::broker {

/// A copy of the broker's state for metrics, status and tests.
struct DispatcherStats {
  std::uint64_t ready{0};
  std::uint64_t delayed{0};
  std::uint64_t leased{0};
  std::uint64_t storing{0};
  std::uint64_t backlog_bytes{0};   ///< Payload bytes of tasks that are ready, delayed or leased.
  std::uint64_t unstored_bytes{0};  ///< Payload bytes of outcomes that wait for the sink.
  std::uint64_t workers{0};
  std::uint64_t slots{0};
  std::uint64_t free_slots{0};
  std::uint64_t producers{0};
  bool sink_connected{false};
  bool draining{false};
  std::uint64_t stale_results{0};
  std::uint64_t duplicate_submits{0};
  std::uint64_t busy_answers{0};
  Account total;
  std::map<std::string, Account> by_source;
};

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
  /// Time passed. Call at `next_deadline()` or later.
  void tick(Time now, Effects& out);

  Time next_deadline() const;
  DispatcherStats stats() const;
  /// Fails an assertion unless the tables, the ledger and the byte counts agree. For tests: visits
  /// all.
  void check_invariants() const;

 private:
  enum class TaskState : std::uint8_t { ready, delayed, leased, storing };
  struct Task {
    SubmittedTask submitted;  // its payload is ours until the task is storing or gone
    TaskState state{TaskState::ready};
    Time admitted_at{};
    Time queued_at{};      // since when it waits, in all its states of waiting
    Time handed_out_at{};  // the latest hand-out
    std::uint16_t attempts{0};
    Charges charges;
    std::vector<AttemptRecord> history;
  };
  struct Peer {
    Hello hello;
    Time heard_at{};
  };
  struct PendingAsk {
    PeerId asker;
    std::vector<TaskId> tasks;
    Time answer_by{kNever};  // set once a sink has been asked
  };

  // Connections (dispatcher_peers.cpp)
  void on_hello(PeerId from, Hello hello, Time now, Effects& out);
  std::optional<Refused> refusal_of(const Hello& hello) const;
  void on_heartbeat(PeerId from, const Heartbeat& heartbeat, Time now, Effects& out);
  void on_goodbye(PeerId from, Time now, Effects& out);
  void forget(PeerId peer, Reason reason, Time now, Effects& out);
  void expire_silent_peers(Time now, Effects& out);
  void say_farewell_when_empty(Effects& out);

  void on_drain(PeerId from, Time now);
  void keep_accounts_few();
  void note_routes(Time now);
  void fail_unroutable(Time now, Effects& out);

  // Questions about earlier tasks (dispatcher_asks.cpp)
  void on_ask(PeerId from, const Ask& ask, Time now, Effects& out);
  void on_known(const Known& known, Effects& out);
  void make_room_for_ask(PeerId from, const std::vector<TaskId>& tasks, Effects& out);
  void forward_ask(std::uint64_t number, PendingAsk& pending, Time now, Effects& out);
  void answer_late_asks(Time now, Effects& out);

  // Tasks (dispatcher.cpp)
  void on_submit(PeerId from, Submit submit, Time now, Effects& out);
  void submit_one(PeerId from, SubmittedTask task, Time now, Effects& out);
  std::optional<Busy> busy_answer(const SubmittedTask& task) const;
  std::optional<RejectedTask> reject_answer(PeerId from, const SubmittedTask& task) const;
  void on_result(PeerId from, const TaskResult& result, Time now, Effects& out);
  void on_nack(PeerId from, const Nack& nack, Time now, Effects& out);
  void on_release(PeerId from, const Release& release, Time now, Effects& out);
  void on_stored(const Stored& stored, Time now, Effects& out);
  void hand_back(const Lease& lease, Reason reason, const std::string& text, Time now,
                 Effects& out);
  void close_lease(const Lease& lease, const Task& task, Reason reason, Time now, Effects& out);
  void end_task(Outcome outcome, PeerId worker, const LeaseId& lease, Time now, Effects& out);
  Outcome outcome_of(const Task& task, Time now) const;
  void settle(const SettledTask& settled, Time now, Effects& out);
  std::optional<Lease> close_held(PeerId by, const LeaseId& lease, const TaskId& task);
  bool holds(PeerId peer, const LeaseId& lease) const;
  void stale(PeerId to, const TaskId& task, const LeaseId& lease, Effects& out);
  void assign_all(Time now, Effects& out);
  void assign(const TaskId& id, Worker& worker, Time now, Effects& out);
  void send_outcomes(Time now, Effects& out);
  void answer_unexpected_result(PeerId from, const TaskResult& result, Effects& out);
  Task& task_at(const TaskId& id);
  bool in_progress() const { return !tasks_.empty(); }
  bool sink_keeps_up() const {
    return storing_.bytes() < options_.unstored_bytes_max &&
           storing_.count() < options_.unstored_tasks_max;
  }

  CoreOptions options_;
  Backlog backlog_;
  LeaseTable leases_;
  StoringTable storing_;
  WorkerRegistry workers_;
  Ledger ledger_;
  SettledMemory settled_;

  std::unordered_map<TaskId, Task> tasks_;  // every task in progress; never iterated for effects
  std::map<PeerId, Peer> peers_;            // everybody who was welcomed
  std::map<std::string, PeerId> owners_;    // source name → its producer
  std::map<std::string, std::uint32_t> epochs_;  // source name → highest epoch claimed so far
  std::map<std::uint64_t, PendingAsk> asks_;     // by the number the sink is asked under
  PeerId sink_{};
  std::string store_;  // UUID of the sink's store, once one was here
  std::uint64_t ask_numbers_{0};
  std::uint64_t noted_routes_{0};  // Backlog::routes_opened() when routes were noted last
  std::uint64_t backlog_bytes_{0};
  Time resend_outcomes_at_{kNever};  // while the sink has some that it did not confirm
  Time next_silence_check_{kNever};  // no peer can be silent for too long before this
  bool draining_{false};
  bool farewell_said_{false};
  std::uint64_t stale_results_{0};
  std::uint64_t duplicate_submits_{0};
  std::uint64_t busy_answers_{0};
};

}  // namespace framefleet::broker
