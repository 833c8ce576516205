#pragma once
// What the broker keeps of every task, source and job: plain records whose addresses stay the same
// as long as they live. The ledger owns sources and jobs, the dispatcher owns tasks; the backlog
// links tasks that wait into queues without copying them.

#include "broker/core/in_progress.hpp"
#include "broker/core/mean.hpp"
#include "broker/core/quotas.hpp"
#include "broker/core/retry_policy.hpp"

#include "shared/base/account.hpp"
#include "shared/base/journal_records.hpp"
#include "shared/base/messages.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace framefleet::broker {

struct Job;
struct Source;
struct Task;

/// Index of a set of detectors in the route table.
using RouteId = std::uint8_t;

enum class TaskState : std::uint8_t { ready, delayed, leased, storing };

/// Ready tasks of one source that need the same route and have the same urgency, first in, first
/// out. The backlog's: see there for the meaning of credit and round.
struct Flow {
  Source* source{nullptr};
  std::uint8_t level{0};
  RouteId route{0};
  Task* first{nullptr};
  Task* last{nullptr};
  Duration credit{};
  std::uint64_t round{0};
  // Its place in one of the two lines of its lane.
  bool listed{false};
  std::uint8_t line{0};
  Flow* before{nullptr};
  Flow* behind{nullptr};
};

/// One submitter of pictures in order: its owner, its books, its share.
struct Source {
  std::uint64_t hash{0};
  std::string name;
  PeerId owner;           ///< The producer that claimed it, while it is connected.
  Quota* quota{nullptr};  ///< Of the identity that it belongs to; null: to nobody.
  std::uint32_t epoch{0};
  std::uint32_t weight{1};
  std::uint64_t expected{0};  ///< Pictures in all, as its producer says; 0: unknown.
  Duration interval{};        ///< Between two pictures, likewise; 0: as fast as they are accepted.
  std::uint64_t stored_before{
      0};  ///< Of these, known to be in the store before they were asked for.
  std::uint64_t counted_through{0};  ///< Sequences below were admitted here, or counted above.
  Job* counted_in{nullptr};          ///< The job whose total `expected` is part of.
  bool paused{false};
  bool labelled{false};         ///< Its numbers are metrics of their own.
  Task* waiting_live{nullptr};  ///< The live frame that is ready: a ring of one.
  Account account;
  InProgress in_progress;
  bool noted{false};                   ///< Its book is among those that changed.
  std::uint64_t bytes{0};              ///< Of its tasks that are ready, delayed or leased.
  std::uint64_t unaccounted{0};        ///< Of its tasks that are delayed (Task::unaccounted).
  std::map<TaskId, TaskClass> unkept;  ///< Its tasks in progress that no journal keeps.
  /// Epoch and sequence of the newest live frame that was admitted.
  std::optional<std::pair<std::uint32_t, std::uint64_t>> newest_live;
  Time live_at{kNever};  ///< Its latest live frame was submitted, be it let in or not.
  /// Epoch and sequence of the newest picture that was submitted, be it let in or not.
  std::optional<std::pair<std::uint32_t, std::uint64_t>> offered_through;
  Mean service;
  Duration underpaid{};  ///< What its tasks took beyond what their flows were charged.
  std::vector<std::unique_ptr<Flow>> flows;  ///< The backlog's; empty ones stay for their credit.
};

/// The tasks of one run.
struct Job {
  std::string name;
  Account account;
  InProgress in_progress;
  std::uint64_t expected{0};
  std::uint64_t stored_before{0};
  std::uint32_t sources{0};        ///< That belong to it and whose producers are connected.
  std::set<std::uint64_t> joined;  ///< Sources whose pictures are part of `expected`.
  bool total_unknown{false};       ///< One of its sources did not say how many pictures it has.
  bool cancelled{false};
  bool noted{false};  ///< Its book is among those that changed.
  Time began_at{kNever};
  Time ended_at{kNever};
  // Settled tasks of this window and the one before, for the rate.
  Time window_at{};
  std::uint64_t settled_in_window{0};
  std::uint64_t settled_in_last{0};
  Duration last_window{};
};

/// Digest and description of a task, in one piece of memory.
class TaskTexts {
 public:
  TaskTexts() = default;
  /// Requires: a digest has kDigestBytesMax (shared/wire/limits.hpp) at most.
  TaskTexts(std::string_view digest, std::string_view description);

  std::string_view digest() const { return {chars_.get(), digest_bytes_}; }
  std::string_view description() const {
    return {chars_.get() + digest_bytes_, description_bytes_};
  }
  std::uint64_t bytes() const { return std::uint64_t{digest_bytes_} + description_bytes_; }

 private:
  std::unique_ptr<char[]> chars_;
  std::uint32_t description_bytes_{0};
  std::uint8_t digest_bytes_{0};
};

/// What few tasks have: those that came back, came from a journal, or try another one again.
struct TaskPast {
  std::optional<TaskId> revived_from;
  std::vector<AttemptRecord> history;
  LeaseId over;         ///< Hand-outs up to this one are over: what they bring closes nothing.
  Time due_at{kNever};  ///< While delayed.

  std::uint64_t bytes() const {
    std::uint64_t sum = sizeof(TaskPast);
    for (const auto& attempt : history) {
      sum += sizeof attempt + attempt.worker.size() + attempt.text.size();
    }
    return sum;
  }
};

struct Task {
  TaskId id;
  Source* source{nullptr};
  Job* job{nullptr};
  Payload payload;  ///< Ours until the task is storing.
  TaskTexts texts;
  std::unique_ptr<TaskPast> past;
  Time admitted_at{};
  Time queued_at{};        ///< Since when it waits, in all its states of waiting.
  Time handed_out_at{};    ///< The latest hand-out.
  Time deadline{kNever};   ///< Work begins before this or not at all.
  QuotaPart quota_part;    ///< Until it is settled.
  std::uint64_t lease{0};  ///< The counter of its lease, while leased.
  Duration charged{};      ///< Service time its source has paid for the hand-out.
  /// The journal has its admission once this is written (UnwrittenAnswers); 0: nothing to wait for.
  std::uint64_t written_by{0};
  Charges charges;
  std::uint16_t attempts{0};  ///< Hand-outs.
  TaskState state{TaskState::ready};
  TaskClass task_class{TaskClass::batch};
  std::uint8_t priority{0};
  RouteId route{0};
  /// It waited in a worker that was lost. Perhaps it had begun, and the results of those before it
  /// were lost with the worker: from now on it is handed to idle slots alone, where that is
  /// certain.
  bool was_aboard{false};
  /// From the journal of an earlier broker: perhaps its outcome is stored, and only the sink knows.
  bool unsure{false};
  /// And an operator was told there that it is cancelled.
  bool cancelled{false};
  bool gone{false};  ///< Nobody has its picture: it ends as lost, and no journal keeps it.
  /// An earlier broker had it in memory alone. Its producer may come back and say more.
  bool unaccounted() const { return gone && unsure; }
  // Its place in the backlog; null outside of it.
  Flow* flow{nullptr};
  Task* before{nullptr};
  Task* behind{nullptr};
  Task* next_in_bucket{nullptr};  ///< The task table's.

  /// Made where there is none: by then nothing is over that the broker of `incarnation` handed out.
  TaskPast& past_in(std::uint32_t incarnation) {
    if (past == nullptr) {
      past = std::make_unique<TaskPast>();
      past->over = {incarnation, 0};
    }
    return *past;
  }
  Time due_at() const { return past == nullptr ? kNever : past->due_at; }
  /// Of the memory that the broker may take: the payload, the texts, what went wrong so far, and
  /// what the tables need for a task (bench/micro/dispatcher measures it).
  std::uint64_t bytes() const {
    return payload.bytes + texts.bytes() + (past == nullptr ? 0 : past->bytes()) + kTables;
  }
  static constexpr std::uint64_t kTables = 512;
};

/// A wall clock that was set right meanwhile says decades, and no message holds that.
constexpr Duration kUnattendedMax = std::chrono::hours{180 * 24};

/// How long a record lay there, by wall clocks (Unix, milliseconds). 0 where the clock was set back
/// meanwhile; kUnattendedMax at most.
inline Duration unattended(std::uint64_t written_at_ms, std::uint64_t now_ms) {
  if (now_ms <= written_at_ms) return Duration::zero();
  constexpr auto kMax = std::chrono::duration_cast<std::chrono::milliseconds>(kUnattendedMax);
  const auto most = static_cast<std::uint64_t>(kMax.count());
  return std::chrono::milliseconds{std::min(now_ms - written_at_ms, most)};
}

/// A task that an earlier broker left in the journal, with its payload.
struct RestoredTask {
  JournaledTask task;
  Duration unattended{};  ///< Since the record was written, by the wall clock.
  Payload payload;
  /// Not for tasks of the journal's own, but for those of its books (SourceBook).
  TaskClass task_class{TaskClass::batch};
  bool gone{false};
};

}  // namespace framefleet::broker
