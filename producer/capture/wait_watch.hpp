#pragma once
// Whether a read had to wait for its bytes, which is how a reader of a live stream knows that there
// is nothing newer. By the calling thread's count of the times it gave up the processor of its own
// accord; a wait shorter than kWaitMin is the sender's kernel handing on what it holds.

#include "shared/base/time.hpp"

#include <chrono>

namespace framefleet::producer {

inline constexpr Duration kWaitMin = std::chrono::milliseconds{2};

/// From its construction on.
class WaitWatch {
 public:
  WaitWatch();
  bool waited() const;

 private:
  Time began_;
  long waits_;
};

}  // namespace framefleet::producer
