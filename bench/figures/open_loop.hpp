#pragma once
// When tasks are to be sent where their number per second is given, whatever becomes of them: a
// sender that is held up sends what it owes at once, and each task's latency counts from the moment
// at which it was to be sent. Else whoever is slow would be asked less (coordinated omission).
// Pure; threads: any.

#include "shared/base/time.hpp"

#include <cstdint>

namespace framefleet::bench {

class OpenLoop {
 public:
  /// `per_second` 0: everything at once.
  OpenLoop(Time begin, double per_second) : begin_(begin), per_second_(per_second) {}

  /// Of the task with this number, from 0.
  Time intended(std::uint64_t number) const;
  /// How many were to be sent until now. Requires: there is a rate.
  std::uint64_t due(Time now) const;

 private:
  Time begin_;
  double per_second_;
};

}  // namespace framefleet::bench
