#pragma once
// The latest value of T, handed from one writer to any number of readers by copy.
//
// The writer never waits for a reader's work: a copy of T is the longest that the lock is held, so
// keep T small (counts, not tables). Threads: one publishes, any copy.

#include <concepts>
#include <mutex>
#include <utility>

namespace framefleet::telemetry {

template <class T>
class Snapshot {
 public:
  Snapshot() = default;
  explicit Snapshot(T value) : value_(std::move(value)) {}

  void publish(T value) {
    {
      const std::lock_guard lock{mutex_};
      std::ranges::swap(value_, value);
    }
    // The old value dies here, outside the lock.
  }

  T copy() const {
    const std::lock_guard lock{mutex_};
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  T value_{};
};

}  // namespace framefleet::telemetry
