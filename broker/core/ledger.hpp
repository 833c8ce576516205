#pragma once
// The books: for every source and every job what was submitted, what became of it, and what is in
// progress. Owns the records of both; their addresses stay the same while they live. Bounded: those
// that are over and done are added up as "other" when there are too many.

#include "broker/core/status.hpp"
#include "broker/core/task.hpp"

#include "shared/base/journal_records.hpp"
#include "shared/base/messages.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace framefleet::broker {

class Ledger {
 public:
  /// Keeps at most about so many accounts of each kind besides those in use.
  explicit Ledger(std::uint64_t accounts_max) : accounts_max_(accounts_max) {}

  /// Known before, or new.
  Source& open_source(std::uint64_t hash, const std::string& name);
  /// Null where it is not known (any more).
  Source* find_source(std::uint64_t hash);
  const Source* find_source(std::uint64_t hash) const;
  Source* find_source(const std::string& name);
  /// Known before, or new. Null for the empty name: such tasks belong to no job.
  Job* open_job(const std::string& name);
  Job* find_job(const std::string& name);
  const Job* find_job(const std::string& name) const;

  void rejected(Source& source, Job* job, Time now);
  /// The task is ready, for the first time.
  void admitted(Task& task, Time now);
  /// From the state it has into another one.
  void moved(Task& task, TaskState to);
  /// The end of a task that is storing.
  void settled(const Task& task, Status status, Time now);

  /// A key's source is its own as long as the key's identity is in the allow-list; what a producer
  /// without a key has is its own while that is connected. `by` null: it has no key.
  static bool may_have(const Source& source, const Quota* by);
  /// Why a producer of the identity `by` (null: it has none) may not have all of these: one has a
  /// higher epoch in the books, or belongs to somebody else.
  std::optional<Refused> refusal_of(const std::vector<SourceClaim>& claims, const Quota* by) const;
  /// A producer claims the source, with what it says of it.
  void claimed(Source& source, PeerId owner, const SourceClaim& claim);
  /// Its producer is gone.
  void abandoned(Source& source);
  /// This picture of a source was stored before the broker heard of it. Counted once, as producers
  /// ask in the order of their sequences.
  void stored_before(const TaskId& id);
  /// It is not admitted any more: its producer submits it anew. Requires: Task::unaccounted().
  void disowned(Task& task);
  /// Until then the producers of a job that has none may come back to it; kNever: nobody does.
  void await_owners(Time until) { owners_awaited_until_ = until; }
  Time owners_awaited_until() const { return owners_awaited_until_; }
  /// True once, when nothing of the job is in progress and all that was expected is over, its
  /// producers have left, or it was cancelled.
  bool ends(Job& job, Time now);

  /// Adds up what is idle, if there is too much of it. `let_go(source)`: its record is about to go.
  template <class LetGo>
  void keep_few(LetGo let_go) {
    if (sources_.size() <= sources_fold_at_) return;
    for (auto* source : idle_sources()) {
      let_go(*source);
      fold(*source);
    }
    sources_fold_at_ = std::max(accounts_max_, 2 * sources_.size());
  }

  // The books of a broker with a journal (ledger_books.cpp).

  /// What is said to change is kept for take_changed(), from here on.
  void keep_changes() { keeps_changes_ = true; }
  /// Books that changed since the last time, in an order that no hash decides; of the fleet's what
  /// the ledger knows.
  JournaledBooks take_changed();
  /// What the ledger knows of the fleet's book.
  FleetBook fleet_book() const {
    return {.store = {}, .other_sources = other_sources_, .other_jobs = other_jobs_};
  }
  /// Something of it that is not counted here changed.
  void note(Source& source);
  void note(Job* job);

  /// As they were written by an earlier broker. Before anything else, jobs first.
  void restore(const FleetBook& book);
  void restore(const JobBook& book, Time now);
  void restore(const SourceBook& book, Quota* quota);
  /// The task waits (delayed), and was counted as admitted before.
  void restored(Task& task);
  /// After the last one: what was admitted by an earlier broker and is neither settled nor restored
  /// is in no book. It is not admitted any more; whoever has it submits it again.
  void end_restore();

  const Account& total() const { return total_; }
  const InProgress& in_progress() const { return in_progress_; }
  std::uint64_t unaccounted() const { return unaccounted_; }
  std::uint64_t source_count() const { return sources_.size(); }
  std::uint64_t job_count() const { return jobs_.size(); }
  /// By name.
  std::vector<const Source*> sources() const;
  std::vector<const Job*> jobs() const;
  /// For metrics: the accounts of 200 sources, those that came first, and the rest as "other".
  std::vector<std::pair<std::string, Account>> labelled() const;
  /// Of these 200 the live ones whose producers are here, and how long ago each had a frame.
  std::vector<std::pair<std::string, Duration>> live_sources(Time now) const;
  /// Work that is known without waiting for it to be offered. Of sources that are not paused;
  /// visits them all.
  KnownWork known_work() const;
  const Account& other_sources() const { return other_sources_; }
  const Account& other_jobs() const { return other_jobs_; }

 private:
  void join(Source& source, Job* job, Time now);
  std::vector<Source*> idle_sources();
  void fold(Source& source);
  void fold_jobs();

  static constexpr std::size_t kLabelledMax = 200;

  std::uint64_t accounts_max_;
  std::vector<const Source*> labelled_;
  std::uint64_t sources_fold_at_{accounts_max_};
  std::uint64_t jobs_fold_at_{accounts_max_};
  Account total_;
  InProgress in_progress_;
  std::uint64_t unaccounted_{0};
  Time owners_awaited_until_{kNever};
  Account other_sources_;
  Account other_jobs_;
  std::unordered_map<std::uint64_t, Source> sources_;  // never iterated for effects
  std::unordered_map<std::string, Job> jobs_;
  bool keeps_changes_{false};
  std::vector<std::uint64_t> changed_sources_;  // hashes of those that are noted
  std::vector<std::string> changed_jobs_;
  std::vector<std::uint64_t> gone_sources_;
  std::vector<std::string> gone_jobs_;
  bool others_changed_{false};
};

/// Everything of the job that is over, and what was over before.
std::uint64_t done_of(const Job& job);
JobRow row_of(const Job& job, Time now);

}  // namespace framefleet::broker
