#pragma once
// How long the latest tasks took: an exponentially weighted mean.

#include "shared/base/time.hpp"

namespace framefleet::broker {

class Mean {
 public:
  /// The weight of a sample is 1/8, as in the round trip times of RFC 6298: quick enough for a
  /// worker that becomes slow, steady enough for pictures of unlike size.
  void add(Duration sample) {
    value_ = measured() ? value_ + (sample - value_) / 8 : sample;
    if (value_ <= Duration::zero()) value_ = Duration{1};
  }
  bool measured() const { return value_ > Duration::zero(); }
  /// 0 before the first sample.
  Duration value() const { return value_; }

 private:
  Duration value_{};
};

}  // namespace framefleet::broker
