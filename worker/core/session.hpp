#pragma once
// The worker's core: takes tasks from the broker, hands them to the pool, keeps every result until
// it is settled, vouches for its leases, and leaves without losing anything.
//
//                           ┌─▶ lined up ─┐ the pool's next
//   Assign ──▶ queued ──────┴─a slot frees┴─▶ running ──finished──▶ unsettled ──Settled──▶ gone
//                 │ Recall, drain (release)      │ failed, overdue (nack), Stale
//                 │ deadline (nack), Stale       ▼
//                 ▼                          abandoned ──finished or failed──▶ gone
//               gone                         (the pool still has it; nobody wants it)
//
// A pool may take orders that wait in it for a slot (`line_max` of them): what is lined up is
// there, and is begun without asking. To everybody else it is still queued; it goes back by
// TakeBack, which fails where work on it has begun, and then it is one that runs. What has a time
// to live, or is live, is never lined up.
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

/// Give the task to the pool, which begins it at once where it has a free slot, and else when those
/// before it have got theirs. The input's payload stays ours until it is released.
struct StartTask {
  AssignedTask task;  ///< Without its token, which is not the pool's business.
  friend bool operator==(const StartTask&, const StartTask&) = default;
};
/// Get these back from the pool, where they wait for a slot; the answers are taken_back() for those
/// that are gone from it, and begun() for each that it works on.
struct TakeBack {
  std::vector<LeaseId> leases;
  friend bool operator==(const TakeBack&, const TakeBack&) = default;
};
/// Nobody wants the result any more: stop at the next stage.
struct AbandonTask {
  LeaseId lease;
  friend bool operator==(const AbandonTask&, const AbandonTask&) = default;
};

using Effect = std::variant<Dial, HangUp, Send, StartTask, TakeBack, AbandonTask, ReleasePayload>;
using Effects = std::vector<Effect>;

struct SessionStats {
  std::uint64_t queued{0};  ///< Assigned ahead, not started; also those that are lined up.
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
  /// `line_max`: tasks that the pool takes beyond its slots; they wait in it, in their order.
  Session(const Hello& hello, LinkOptions options, std::size_t line_max = 0);

  void receive(Message message, Time now, Effects& out);
  /// The pool has a result: `payload` holds the record and its artefacts.
  void finished(const LeaseId& lease, Payload payload, Duration elapsed, Time now, Effects& out);
  /// The pool could not do it.
  void failed(const LeaseId& lease, Reason reason, const std::string& text, Time now, Effects& out);
  /// The stage's budget is spent: the task is given up although the pool still has it.
  void overdue(const LeaseId& lease, Reason reason, const std::string& text, Time now,
               Effects& out);
  /// Answers to a TakeBack.
  void taken_back(const std::vector<LeaseId>& leases, Time now, Effects& out);
  void begun(const LeaseId& lease, Effects& out);
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
  enum class State : std::uint8_t { queued, lined_up, running, unsettled, abandoned };
  struct Work {
    AssignedTask task;  // what it needs from here on; until its end with its payload
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
  void hand_to_pool(Work& work, State state, Effects& out);
  void nack_expired(Time now, Effects& out);
  void unqueue(LeaseId lease, Effects& out);
  void release_all_queued(Effects& out);
  void take_back_the_line(Effects& out);
  void on_recall(const Recall& recall, Effects& out);
  void on_settled(const TaskId& task, Effects& out);
  void on_stale(const LeasedTask& stale, Effects& out);
  void nack(const LeasedTask& task, Reason reason, const std::string& text, Effects& out);
  void give_up(Work& work, Effects& out);
  void leave_when_done(Time now, Effects& out);
  std::vector<LeaseId> leases_to_vouch_for() const;
  using Works = std::map<LeaseId, Work>;
  /// And wanted.
  static bool is_in_pool(State state) {
    return state == State::lined_up || state == State::running;
  }
  void set_state(Work& work, State state);
  void leave_line(const Work& work);
  void forget(Works::iterator position);
  std::uint64_t& count(State state) { return counts_.at(static_cast<std::size_t>(state)); }
  std::uint64_t count(State state) const { return counts_.at(static_cast<std::size_t>(state)); }
  bool may_wait(const AssignedTask& task) const;
  bool may_line_up(const Work& work) const;
  bool slot_is_free() const;

  Link link_;
  std::uint32_t slots_;
  std::size_t line_max_;
  Works works_;                            // one per slot, those that wait and the unsettled
  std::array<std::uint64_t, 5> counts_{};  // of works_, by state
  std::deque<LeaseId> queue_;              // the queued, in the order in which they came
  std::deque<LeaseId> line_;  // those lined up, in the order in which the pool begins them
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
