#pragma once
// The worker's core: takes tasks from the broker, hands them to the pool, keeps every result until
// it is settled, vouches for its leases, and leaves without losing anything.
//
//   Assign ──▶ queued ──a slot frees──▶ running ──finished──▶ unsettled ──Settled──▶ gone
//                 │ Recall, drain (release)   │ failed, overdue (nack), Stale
//                 │ deadline (nack), Stale    ▼
//                 ▼                       abandoned ──finished or failed──▶ gone
//               gone                      (the pool still has it; nobody wants it)
//
// What finds a free slot runs at once; only a batch task waits for one, and only behind tasks that
// the broker knows of: an abandoned run may hold its slot for a minute more, and what waits for it
// is given back. A slot can be taken for a self-test, which is short: what the broker assigns to it
// meanwhile waits, whatever its class. At most kAheadMax tasks wait, in the order in which they
// came; what comes on top is given back as well. While the worker is not ready it gives back
// everything that is not started. The payload of a task is released exactly once, wherever its way
// ends.
// Takes (event, now), appends effects; owns no socket, thread or pixel. Not thread-safe.

#include "shared/base/link.hpp"
#include "shared/base/messages.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace framefleet::worker {

/// A broker assigns ahead at most this many tasks on top of the slots.
inline constexpr std::size_t kAheadMax = 64;

/// Give the task to the pool. The input's payload stays ours until it is released.
struct StartTask {
  AssignedTask task;
  friend bool operator==(const StartTask&, const StartTask&) = default;
};
/// Nobody wants the result any more: stop at the next stage.
struct AbandonTask {
  LeaseId lease;
  friend bool operator==(const AbandonTask&, const AbandonTask&) = default;
};

using Effect = std::variant<Dial, HangUp, Send, StartTask, AbandonTask, ReleasePayload>;
using Effects = std::vector<Effect>;

struct SessionStats {
  std::uint64_t queued{0};  ///< Assigned ahead, not started.
  std::uint64_t running{0};
  std::uint64_t abandoned{0};  ///< The pool still works on it.
  std::uint64_t unsettled{0};
  std::uint64_t finished{0};  ///< Results sent, ever.
  std::uint64_t nacked{0};
  std::uint64_t stale{0};
  std::uint64_t link_losses{0};
  bool link_up{false};
  bool draining{false};
};

class Session {
 public:
  Session(const Hello& hello, LinkOptions options);

  void receive(Message message, Time now, Effects& out);
  /// The pool has a result: `payload` holds the record and its artefacts.
  void finished(const LeaseId& lease, Payload payload, Duration elapsed, Time now, Effects& out);
  /// The pool could not do it.
  void failed(const LeaseId& lease, Reason reason, const std::string& text, Time now, Effects& out);
  /// The stage's budget is spent: the task is given up although the pool still has it.
  void overdue(const LeaseId& lease, Reason reason, const std::string& text, Time now,
               Effects& out);
  /// Give back what is not started, take nothing new, finish, hand over, leave. The broker can ask
  /// for it as well.
  void drain(Time now, Effects& out);
  void tick(Time now, Effects& out);

  /// Why the worker takes no tasks from now on, for people; "": it does. The broker is told at once
  /// where that is news, and gets back what is not started. In the hello from the first one on
  /// where it is said before the first tick.
  void set_not_ready(const std::string& why, Time now, Effects& out);
  /// Takes a slot for something that is no task, until it is given back. False where none is free:
  /// the next one that frees is kept for whoever asks again then; and where the worker drains.
  [[nodiscard]] bool take_slot();
  void give_back_slot(Time now, Effects& out);
  /// take_slot() found none, and is to be asked again when one is free.
  bool slot_wanted() const { return slot_wanted_; }

  Time next_deadline() const;
  /// Left in order, or refused.
  bool over() const { return link_.finished(); }
  bool draining() const { return draining_; }
  const Link& link() const { return link_; }
  SessionStats stats() const;

 private:
  enum class State : std::uint8_t { queued, running, unsettled, abandoned };
  struct Work {
    AssignedTask task;  // while queued or running: with its payload
    State state{State::queued};
    Time deadline{kNever};       // when its time to live ends; means nothing once it runs
    TaskResult result;           // unsettled
    Time send_again_at{kNever};  // unsettled
  };

  void on_up(Time now, Effects& out);
  void send_result(Work& work, Time now, Effects& out);
  void send_again(Time now, Effects& out);
  void take(AssignedTask task, Time now, Effects& out);
  void start_queued(Time now, Effects& out);
  void nack_expired(Time now, Effects& out);
  void unqueue(LeaseId lease, Effects& out);
  void release_all_queued(Effects& out);
  void on_recall(const Recall& recall, Effects& out);
  void on_settled(const TaskId& task, Effects& out);
  void on_stale(const LeasedTask& stale, Effects& out);
  void nack(const LeasedTask& task, Reason reason, const std::string& text, Effects& out);
  void give_up(Work& work, Effects& out);
  void leave_when_done(Time now, Effects& out);
  std::vector<LeaseId> leases_to_vouch_for() const;
  using Works = std::map<LeaseId, Work>;
  void set_state(Work& work, State state);
  void forget(Works::iterator position);
  std::uint64_t& count(State state) { return counts_.at(static_cast<std::size_t>(state)); }
  std::uint64_t count(State state) const { return counts_.at(static_cast<std::size_t>(state)); }
  bool may_wait(const AssignedTask& task) const;
  bool slot_is_free() const;

  Link link_;
  std::uint32_t slots_;
  Works works_;                            // one per slot, the queued and the unsettled
  std::array<std::uint64_t, 4> counts_{};  // of works_, by state
  std::deque<LeaseId> queue_;              // the queued, in the order in which they came
  std::set<std::pair<TaskId, LeaseId>> unsettled_;
  std::deque<std::pair<Time, LeaseId>> sent_;  // results: what is older than send_again_at is over
  std::uint32_t incarnation_{0};               // of the broker that gave us what runs
  std::uint32_t taken_{0};                     // slots, by take_slot()
  bool slot_wanted_{false};                    // take_slot() found none
  bool draining_{false};
  std::uint64_t finished_{0};
  std::uint64_t nacked_{0};
  std::uint64_t stale_{0};
};

}  // namespace framefleet::worker
