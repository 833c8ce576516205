#pragma once
// A descriptor that can be read from a point in time on: what polls in milliseconds is woken to the
// microsecond. Threads: one.

#include "shared/base/file_descriptor.hpp"
#include "shared/base/time.hpp"

namespace framefleet::bench {

class Alarm {
 public:
  Alarm();
  int fd() const { return timer_.get(); }
  /// In place of what was set before; a time that has passed is readable at once.
  void set(Time at);

 private:
  FileDescriptor timer_;
};

}  // namespace framefleet::bench
