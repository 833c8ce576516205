#pragma once
// The conversation of a part with the program that started it: "ready" when it is connected, told
// to go, "done" when its share is done, told to end, its report. Threads: one. Errors: where the
// other end is gone, as if told to end.

#include "shared/base/time.hpp"

#include "bench/fleet/report.hpp"

namespace framefleet::bench {

/// Where a part finds its end.
inline constexpr int kCueFd = 3;

class Cue {
 public:
  /// False: end, without having begun.
  bool ready_and_go();
  void done();
  /// Waits so long to be told.
  bool told_to_end(Duration wait);
  void report(const Report& report);

 private:
  bool ended_{false};
};

}  // namespace framefleet::bench
