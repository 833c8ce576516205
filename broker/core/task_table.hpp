#pragma once
// Every task in progress, by its id. Owns them: each is one piece of memory, and its address stays
// the same as long as it lives. What links those of one bucket stands in the tasks themselves.
//
// Never visited for effects: the order is the hash's. Not thread-safe.

#include "broker/core/task.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace framefleet::broker {

class TaskTable {
 public:
  TaskTable();
  ~TaskTable();
  TaskTable(const TaskTable&) = delete;
  /// The two change places.
  TaskTable& operator=(TaskTable&& other) noexcept;

  /// A new one, with nothing but its id. Requires: there is none with this id.
  Task& add(const TaskId& id);
  /// Null where there is none.
  Task* find(const TaskId& id) const;
  void remove(Task& task);

  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Calls `visit(const Task&)` for all, in any order. `visit` may not change the table.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Task* first : buckets_) {
      for (const Task* task = first; task != nullptr; task = task->next_in_bucket) visit(*task);
    }
  }

 private:
  std::size_t bucket_of(const TaskId& id) const;
  void grow();

  std::vector<Task*> buckets_;  // as many as a power of two, never fewer than tasks
  unsigned shift_{0};           // leaves as many bits of a hash as name a bucket
  std::uint64_t size_{0};
};

}  // namespace framefleet::broker
