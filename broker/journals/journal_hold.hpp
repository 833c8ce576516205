#pragma once
// What a full journal has no room for yet: admissions, in their order, while ends go on past them
// (they make the room).
//
// Invariants: an end of a task that is held back takes it out; an attempt of one changes it where
// it is held. Books count a task only with the commit that has it, so that the ledger of a journal
// agrees with its tasks after every commit. Threads: one. Errors: none.

#include "broker/journals/journal.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace framefleet::broker {

/// What the broker's loop hands over at once.
struct JournalWork {
  std::uint64_t number{0};  ///< Growing.
  JournalBatch batch;
  std::shared_ptr<const void> frames;  ///< Keeps alive what the batch's frames point into.
};

/// Of its frames, and of its records about.
std::uint64_t bytes_of(const JournalBatch& batch);

class JournalHold {
 public:
  bool empty() const { return works_.empty(); }
  /// Works, one for all those without an admission that came after one with some.
  std::size_t size() const { return works_.size(); }
  /// Of the admissions.
  std::uint64_t bytes() const { return bytes_; }

  /// Holds the admissions back; answers the rest, to be committed at once.
  JournalBatch take(JournalWork&& work);
  /// How many works at the front make a group within the limits; 1 at least.
  std::size_t group_size(std::size_t records_max, std::uint64_t bytes_max) const;
  /// The admissions of the first `count` works, with the books that go with them.
  JournalBatch offer(std::size_t count) const;
  /// The offer was committed. Answers the number of the last one of them.
  std::uint64_t release(std::size_t count);
  /// How many works at the front hold nothing back any more.
  std::size_t settled_in_front() const;

 private:
  struct Held {
    std::uint64_t number{0};
    std::vector<std::optional<JournalAdmission>> admissions;  ///< None: it has ended meanwhile.
    std::shared_ptr<const void> frames;
  };
  /// Which tasks are held back, by what they are counted in.
  struct Counts {
    std::map<std::uint64_t, std::set<TaskId>> sources;
    std::map<std::string, std::uint64_t> jobs;
    void add(const JournaledTask& task);
    void remove(const JournaledTask& task);
  };

  void hold(Held& held, JournalAdmission&& admission);
  /// False: the task is not held back.
  bool change_held(const JournalAttempt& attempt);
  bool change_held(const JournalEnd& end);
  void remember(JournaledBooks&& books);
  JournaledBooks books_without(const Counts& held) const;

  std::deque<Held> works_;
  std::uint64_t bytes_{0};
  std::unordered_map<TaskId, std::optional<JournalAdmission>*> by_id_;
  Counts counts_;
  // The books as they are with everything that is held; none: given up.
  std::optional<FleetBook> fleet_;
  std::map<std::uint64_t, std::optional<SourceBook>> sources_;
  std::map<std::string, std::optional<JobBook>> jobs_;
};

}  // namespace framefleet::broker
