#pragma once
// What everybody writes first: the yardstick for the fleet.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace framefleet::bench {

/// imdecode, cvtColor, and for each detector of ours the same OpenCV calls with the parameters that
/// ours have by default. One thread; every picture makes its own matrices.
class NaiveLoop {
 public:
  /// Requires: detectors of edges, corners and faces, without options.
  explicit NaiveLoop(const std::vector<std::string>& detectors);
  ~NaiveLoop();
  NaiveLoop(const NaiveLoop&) = delete;
  NaiveLoop& operator=(const NaiveLoop&) = delete;

  /// How many detections there are, so that it can be seen that the work is the same.
  std::size_t work(const std::string& jpeg);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace framefleet::bench
