#pragma once
// What everybody writes first to run a network: the yardstick for ours.

#include "shared/base/result.hpp"

#include <memory>
#include <string>

#include "bench/vision/runners.hpp"

namespace framefleet::bench {

/// imdecode, blobFromImage, forward, by OpenCV in one thread; what comes out is not looked at.
class NaiveNetwork {
 public:
  /// Errors: why OpenCV cannot read it, or run it on this picture.
  static Result<std::unique_ptr<NaiveNetwork>, std::string> open(const PlainNetwork& network,
                                                                 const std::string& jpeg);
  ~NaiveNetwork();
  NaiveNetwork(const NaiveNetwork&) = delete;
  NaiveNetwork& operator=(const NaiveNetwork&) = delete;

  void work(const std::string& jpeg);

 private:
  struct Parts;
  explicit NaiveNetwork(const PlainNetwork& network);

  std::unique_ptr<Parts> parts_;
};

}  // namespace framefleet::bench
