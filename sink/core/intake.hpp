#pragma once
// The sink's core: gathers outcomes into batches for the store and says what is stored, after the
// commit and never before. While one batch is being committed the next one fills: batches grow when
// the store is busy and nobody waits when it is idle. Where outcomes come so quickly that commits
// are most of what they cost, a batch waits a moment for company. Questions (about ids, and of
// operators about dead letters) go to the store in order with the batches, so an answer never
// misses an outcome that came before the question. An answer goes to the incarnation of the broker
// that asked, or nowhere.
//
// Takes (event, now), appends effects; owns no socket, thread, file or picture. Not thread-safe.

#include "shared/base/link.hpp"
#include "shared/base/messages.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <variant>
#include <vector>

namespace framefleet::sink {

/// Commit these in one transaction, then call committed(). One is under way at a time.
struct CommitBatch {
  std::vector<Outcome> outcomes;
  friend bool operator==(const CommitBatch&, const CommitBatch&) = default;
};
/// Look these up, then call found(). One request is under way at a time, commits included.
struct FindStored {
  std::uint64_t asker{0};
  std::vector<TaskId> tasks;
  friend bool operator==(const FindStored&, const FindStored&) = default;
};

/// Do what an operator wants with the dead letters, then call reported(). One at a time, commits
/// and lookups included.
struct CarryOut {
  Control control;
  friend bool operator==(const CarryOut&, const CarryOut&) = default;
};

using Effect = std::variant<Dial, HangUp, Send, CommitBatch, FindStored, CarryOut, ReleasePayload>;
using Effects = std::vector<Effect>;

struct IntakeOptions {
  /// A batch ends at either: few enough that a commit takes milliseconds.
  std::uint64_t batch_tasks_max{512};
  std::uint64_t batch_bytes_max{std::uint64_t{16} << 20U};
  /// A commit costs what a dozen rows cost. Where so many outcomes come within this time, by the
  /// pace of the last few such times, a batch begins with so many, or so long after the one before.
  std::uint64_t gather_tasks{32};
  Duration gather_time{std::chrono::milliseconds{4}};
  LinkOptions link;
};

struct IntakeStats {
  std::uint64_t waiting{0};        ///< Outcomes not yet given to the store.
  std::uint64_t waiting_bytes{0};  ///< Their payload bytes.
  std::uint64_t committing{0};     ///< Outcomes in the store's hands.
  std::uint64_t stored{0};         ///< Ever confirmed.
  std::uint64_t batches{0};
  std::uint64_t link_losses{0};
  bool link_up{false};
  bool draining{false};
};

class Intake {
 public:
  Intake(Hello hello, IntakeOptions options);

  void receive(Message message, Time now, Effects& out);
  /// The store committed the batch: what it has under each id now.
  void committed(std::vector<SettledTask> stored, Time now, Effects& out);
  /// The store looked: those it has.
  void found(std::vector<SettledTask> stored, Time now, Effects& out);
  /// What came of the control; `asker` is set here, the payload released when it is on its way.
  void reported(Report report, Time now, Effects& out);
  /// Commit what is here, confirm it, leave.
  void drain(Time now, Effects& out);
  void tick(Time now, Effects& out);

  Time next_deadline() const;
  bool over() const { return link_.finished() && !store_busy() && waiting_.empty(); }
  const Link& link() const { return link_; }
  IntakeStats stats() const;

 private:
  struct Question {
    std::variant<FindStored, CarryOut> what;
    std::uint64_t barrier{0};      // outcomes that came before it, in all
    std::uint32_t incarnation{0};  // of the broker that asked
  };

  bool store_busy() const { return !committing_.empty() || asked_.has_value(); }
  void take_in(Outcomes outcomes, Effects& out);
  void take_in(Control control, Effects& out);
  void queue(std::variant<FindStored, CarryOut> what, Effects& out);
  void decline(const Control& control, Reason reason, const char* text, Effects& out);
  bool wants_answer(const Question& question) const;
  bool gathers(Time now) const;
  void see_pace(Time now);
  void feed_store(Time now, Effects& out);
  void leave_when_done(Time now, Effects& out);

  Link link_;
  IntakeOptions options_;
  std::deque<Outcome> waiting_;
  std::deque<Question> questions_;  // each waits until the outcomes before it are committed
  std::vector<Payload> committing_;
  std::set<TaskId> in_hand_;       // waiting or being committed: copies of these are dropped
  std::optional<Question> asked_;  // in the store's hands
  bool draining_{false};
  bool quick_{false};              // at the last look at the pace
  Time pace_since_{};              // when that was
  std::uint64_t arrived_then_{0};  // and what had arrived by then
  Time gather_until_{};            // the next batch waits for company until then
  std::uint64_t waiting_bytes_{0};
  std::uint64_t arrived_{0};
  std::uint64_t handed_over_{0};  // to the store, of those that arrived
  std::uint64_t stored_{0};
  std::uint64_t batches_{0};
};

}  // namespace framefleet::sink
