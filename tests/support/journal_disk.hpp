#pragma once
// The disk of a simulated broker with a journal: what was committed stays, what waits is lost with
// the broker. `Content` stands for a payload.

#include "broker/core/dispatcher.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace framefleet::test {

template <class Content>
class JournalDisk {
 public:
  struct Kept {
    JournaledTask task;
    Time written_at{};
    Content content;
  };

  /// Takes what the broker wants written at this moment: the effects of one event, and its books.
  /// `content(payload)` is what it stands for. True where there was something to write.
  template <class ContentOf>
  bool take(const broker::Effects& effects, broker::Dispatcher& broker, Time now,
            ContentOf content) {
    Batch batch{broker.to_be_written(), now, {}, broker.changed_books()};
    for (const auto& effect : effects) {
      if (const auto* write = std::get_if<broker::WriteTask>(&effect)) {
        batch.changes.push_back(Kept{write->task, now, content(write->payload)});
      } else if (const auto* again = std::get_if<broker::WriteAttempt>(&effect)) {
        batch.changes.push_back(again->task);
      } else if (const auto* end = std::get_if<broker::WriteEnd>(&effect)) {
        batch.changes.push_back(end->task);
      }
    }
    const auto last = waiting_.empty() ? committed_ : waiting_.back().number;
    if (batch.changes.empty() && batch.books.empty() && batch.number == last) return false;
    waiting_.push_back(std::move(batch));
    return true;
  }

  /// Commits the `count` batches that have waited longest, at most all. Everything up to the number
  /// that is returned is on the disk.
  std::uint64_t commit(std::size_t count) {
    for (; count > 0 && !waiting_.empty(); --count) {
      apply(waiting_.front());
      waiting_.pop_front();
    }
    return committed_;
  }
  std::size_t waiting() const { return waiting_.size(); }
  bool has(const TaskId& task) const { return tasks_.contains(task); }
  /// The task is there, or its source's book says that memory alone has it.
  bool names(const TaskId& task) const {
    if (has(task)) return true;
    const auto book = sources_.find(task.source);
    if (book == sources_.end()) return false;
    const auto& gone = book->second.gone;
    return std::find(gone.begin(), gone.end(), task) != gone.end();
  }
  /// Nothing is left to do for a broker that begins with it.
  bool nothing_in_progress() const {
    return tasks_.empty() && std::all_of(sources_.begin(), sources_.end(), [](const auto& entry) {
             return entry.second.live.empty() && entry.second.gone.empty();
           });
  }
  const std::map<TaskId, Kept>& tasks() const { return tasks_; }
  const std::map<std::uint64_t, SourceBook>& sources() const { return sources_; }
  const FleetBook& fleet() const { return fleet_; }

  /// What was not committed is gone; a new broker begins with the rest. `put(content)` is the
  /// payload in its hands; `damaged` are those that cannot be read any more.
  template <class Put>
  void restore(broker::Dispatcher& broker, Time now, Put put, const std::set<TaskId>& damaged,
               broker::Effects& out) {
    waiting_.clear();
    committed_ = 0;
    std::vector<JobBook> jobs;
    for (const auto& [name, book] : jobs_) jobs.push_back(book);
    std::vector<SourceBook> sources;
    for (const auto& [hash, book] : sources_) sources.push_back(book);
    broker.restore(fleet_, jobs, sources, now);
    for (const auto& [id, kept] : tasks_) {
      if (damaged.contains(id)) {
        JournaledTask known;
        known.id = id;
        broker.restore_damaged(known, "damaged", now, out);
      } else {
        broker.restore({kept.task, now - kept.written_at, put(kept.content)}, now);
      }
    }
    broker.end_restore(now);
  }

 private:
  struct Batch {
    std::uint64_t number{0};
    Time at{};
    std::vector<std::variant<Kept, JournaledTask, TaskId>> changes;
    JournaledBooks books;
  };

  void apply(Batch& batch) {
    committed_ = batch.number;
    for (auto& change : batch.changes) {
      if (auto* kept = std::get_if<Kept>(&change)) {
        FRAMEFLEET_ASSERT(tasks_.emplace(kept->task.id, std::move(*kept)).second);
      } else if (auto* again = std::get_if<JournaledTask>(&change)) {
        auto& known = tasks_.at(again->id);
        known.task = std::move(*again);
        known.written_at = batch.at;
      } else {
        FRAMEFLEET_ASSERT(tasks_.erase(std::get<TaskId>(change)) == 1);
      }
    }
    auto& books = batch.books;
    if (books.fleet) fleet_ = *books.fleet;
    for (const auto hash : books.sources_gone) sources_.erase(hash);
    for (const auto& name : books.jobs_gone) jobs_.erase(name);
    for (auto& book : books.sources) sources_[book.hash] = std::move(book);
    for (auto& book : books.jobs) jobs_[book.name] = std::move(book);
  }

  std::deque<Batch> waiting_;
  std::uint64_t committed_{0};
  std::map<TaskId, Kept> tasks_;
  FleetBook fleet_;
  std::map<std::uint64_t, SourceBook> sources_;
  std::map<std::string, JobBook> jobs_;
};

}  // namespace framefleet::test
