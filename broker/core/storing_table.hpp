#pragma once
// Outcomes on their way into the store: first in line are those the sink has been sent and not yet
// confirmed, then those that wait for a place in its window. A new sink gets all of them again.
// Whose task is not in the journal yet stands aside until it is: a full journal has room for it
// again when those behind have ended.

#include "broker/core/line.hpp"

#include "shared/base/messages.hpp"

#include <cstdint>
#include <map>
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
  /// The next outcome to send of those that are for the sink by what is `written`, now counted as
  /// sent; null when there is none, or `window` are under way.
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

  enum class Place : std::uint8_t { waiting, sent, aside };
  struct Entry {
    StoringTask task;
    Place place{Place::waiting};
    Entry* earlier{nullptr};
    Entry* later{nullptr};
  };

  void put_aside(Entry& entry);
  void put_back_in_line(std::uint64_t written);

  std::unordered_map<TaskId, Entry> entries_;
  Line<Entry, &Entry::earlier, &Entry::later> line_;  // in the order in which they go
  std::multimap<std::uint64_t, Entry*> aside_;        // by what they wait for
  Entry* next_{nullptr};  // the first that is not sent; all before it are
  std::uint64_t sent_{0};
  std::uint64_t bytes_{0};
};

}  // namespace framefleet::broker
