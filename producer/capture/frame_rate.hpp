#pragma once
// Which pictures of a camera are due where no more than so many a second are wanted. Never fewer
// than asked for where the camera gives them: one that comes early by up to half an interval is
// taken, and the next one is due an interval after the time at which this one was due.
// Pure: times are given. Threads: one.

#include "shared/base/time.hpp"

#include <chrono>

namespace framefleet::producer {

class FrameRate {
 public:
  /// `fps`: 0: every picture.
  explicit FrameRate(double fps)
      : interval_(fps > 0
                      ? std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1 / fps))
                      : Duration::zero()) {}

  bool due(Time now) {
    if (now + interval_ / 2 < due_at_) return false;
    due_at_ = (now < due_at_ + interval_ ? due_at_ : now) + interval_;
    return true;
  }

 private:
  Duration interval_;
  Time due_at_{Time::min() + std::chrono::hours{1}};
};

}  // namespace framefleet::producer
