#pragma once
// Outcomes on their way into the store: first in line are those the sink has been sent and not yet
// confirmed, then those that wait for a place in its window. A new sink gets all of them again.

#include "broker/core/line.hpp"

#include "shared/base/messages.hpp"

#include <cstdint>
#include <optional>
#include <unordered_map>

namespace framefleet::broker {

struct StoringTask {
  Outcome outcome;
  PeerId worker{};  ///< To be told when it is settled; none: nobody.
  LeaseId lease{};  ///< Of the hand-out that ended it, if a result did.
  /// Not for the sink before this is written: a store must not have what no journal ever had, or
  /// no broker after this one would count it.
  std::uint64_t written_by{0};
};

class StoringTable {
 public:
  void add(StoringTask task);
  /// The next outcome to send, now counted as sent; null when there is none, `window` are under
  /// way, or it waits for more than what is `written`.
  const Outcome* send_next(std::uint64_t window, std::uint64_t written);
  /// The sink is another one, or the same after a cut: everything is to be sent again.
  void send_again();
  std::optional<StoringTask> close(const TaskId& task);

  bool holds(const TaskId& task) const { return entries_.contains(task); }
  /// True if the outcome of `task` is the result of `lease`.
  bool came_from(const TaskId& task, const LeaseId& lease) const;
  std::uint64_t count() const { return entries_.size(); }
  std::uint64_t sent_count() const { return sent_; }
  std::uint64_t bytes() const { return bytes_; }

  /// What an outcome needs in the tables of the broker, its task included (bench/micro/dispatcher).
  static constexpr std::uint64_t kTables = 1024;

 private:
  /// Of the memory that the broker may take: payload, texts, and the tables' share.
  static std::uint64_t bytes_of(const Outcome& outcome);

  struct Entry {
    StoringTask task;
    bool is_sent{false};
    Entry* earlier{nullptr};
    Entry* later{nullptr};
  };

  std::unordered_map<TaskId, Entry> entries_;
  Line<Entry, &Entry::earlier, &Entry::later> line_;  // in the order of arrival
  Entry* next_{nullptr};  // the first that is not sent; all before it are
  std::uint64_t sent_{0};
  std::uint64_t bytes_{0};
};

}  // namespace framefleet::broker
