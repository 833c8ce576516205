#include "broker/core/task_table.hpp"

#include "shared/base/assert.hpp"

#include <bit>
#include <functional>
#include <utility>

namespace framefleet::broker {
namespace {

constexpr std::size_t kBucketsMin = 64;
constexpr unsigned kHashBits = 64;

unsigned shift_for(std::size_t buckets) {
  return kHashBits - static_cast<unsigned>(std::countr_zero(buckets));
}

}  // namespace

TaskTable::TaskTable() : buckets_(kBucketsMin), shift_(shift_for(kBucketsMin)) {}

TaskTable::~TaskTable() {
  for (Task* first : buckets_) {
    while (first != nullptr) delete std::exchange(first, first->next_in_bucket);
  }
}

TaskTable& TaskTable::operator=(TaskTable&& other) noexcept {
  std::swap(buckets_, other.buckets_);
  std::swap(shift_, other.shift_);
  std::swap(size_, other.size_);
  return *this;
}

/// The upper bits: a step of any size between the sequences of a source changes them.
std::size_t TaskTable::bucket_of(const TaskId& id) const {
  return std::hash<TaskId>{}(id) >> shift_;
}

Task& TaskTable::add(const TaskId& id) {
  if (size_ == buckets_.size()) grow();
  auto* const task = new Task;
  task->id = id;
  auto& first = buckets_[bucket_of(id)];
  task->next_in_bucket = first;
  first = task;
  ++size_;
  return *task;
}

Task* TaskTable::find(const TaskId& id) const {
  Task* task = buckets_[bucket_of(id)];
  while (task != nullptr && task->id != id) task = task->next_in_bucket;
  return task;
}

void TaskTable::remove(Task& task) {
  Task** place = &buckets_[bucket_of(task.id)];
  while (*place != &task) {
    FRAMEFLEET_ASSERT(*place != nullptr);
    place = &(*place)->next_in_bucket;
  }
  *place = task.next_in_bucket;
  --size_;
  delete &task;
}

void TaskTable::grow() {
  const auto before = std::exchange(buckets_, std::vector<Task*>(2 * buckets_.size()));
  shift_ = shift_for(buckets_.size());
  for (Task* first : before) {
    while (first != nullptr) {
      auto* const task = std::exchange(first, first->next_in_bucket);
      auto& place = buckets_[bucket_of(task->id)];
      task->next_in_bucket = place;
      place = task;
    }
  }
}

}  // namespace framefleet::broker
