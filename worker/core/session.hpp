#pragma once
// The worker's core: takes tasks from the broker, hands them to the pool, keeps every result until
// it is settled, vouches for its leases, and leaves without losing anything.
//
//   Assign ──▶ running ──finished──▶ unsettled ──Settled──▶ gone
//                 │ failed, overdue (nack), Stale
//                 ▼
//              abandoned ──finished or failed──▶ gone      (the pool still has it; nobody wants it)
//
// Takes (event, now), appends effects; owns no socket, thread or pixel. Not thread-safe.

#include "shared/base/link.hpp"
#include "shared/base/messages.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace framefleet::worker {

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
  /// Take nothing new, finish, hand over, leave.
  void drain(Time now, Effects& out);
  void tick(Time now, Effects& out);

  Time next_deadline() const;
  /// Left in order, or refused.
  bool over() const { return link_.finished(); }
  const Link& link() const { return link_; }
  SessionStats stats() const;

 private:
  enum class State : std::uint8_t { running, unsettled, abandoned };
  struct Work {
    AssignedTask task;  // while running: with its payload
    State state{State::running};
    TaskResult result;           // unsettled
    Time send_again_at{kNever};  // unsettled
  };

  void on_up(Time now, Effects& out);
  void send_result(Work& work, Time now, Effects& out);
  void take(AssignedTask task, Effects& out);
  void on_settled(const TaskId& task, Effects& out);
  void on_stale(const LeasedTask& stale, Effects& out);
  void give_up(Work& work, Effects& out);
  void leave_when_done(Time now, Effects& out);
  std::vector<LeaseId> leases_to_vouch_for() const;
  std::uint64_t count(State state) const;

  Link link_;
  std::uint32_t slots_;
  std::map<LeaseId, Work> works_;  // one per slot, and the unsettled
  std::uint32_t incarnation_{0};   // of the broker that gave us what runs
  bool draining_{false};
  std::uint64_t finished_{0};
  std::uint64_t nacked_{0};
  std::uint64_t stale_{0};
};

}  // namespace framefleet::worker
