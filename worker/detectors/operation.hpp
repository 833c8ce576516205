#pragma once
// One step from a picture to a picture (resize, blur, …). Each is a detector of its own, which
// makes that picture and finds nothing, and a step of the detector `edit`
// (worker/detectors/edit.hpp). Internal to worker/detectors.

#include "worker/decoding/image_gate.hpp"
#include "worker/detectors/detector.hpp"
#include "worker/detectors/options.hpp"

#include "shared/base/result.hpp"

#include <opencv2/core.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace framefleet::worker {

class Operation {
 public:
  virtual ~Operation() = default;
  /// `picture` has 1 channel (grey) or 3 (blue, green, red) of 8 bits, and is not written to. So
  /// has the answer, which may be a view of it, and is valid until the next call. `sequence` is
  /// that of the task: what is drawn by lot is drawn from it. Errors: bad_description, as for a
  /// detector.
  virtual Result<cv::Mat, DetectError> apply(const cv::Mat& picture, std::uint64_t sequence) = 0;
};

struct OperationKind {
  std::string_view name;
  std::string_view help;
  std::vector<OptionSpec> options;
  /// `limits`: what no picture may exceed, made ones neither. Errors (usage): options that exclude
  /// each other.
  Result<std::unique_ptr<Operation>, Error> (*make)(const Options& options,
                                                    const ImageLimits& limits);
};

/// bad_description where a picture of that size is not to be made; asked before memory is taken.
Result<void, DetectError> check_made_size(std::string_view operation, double width, double height,
                                          const ImageLimits& limits);

OperationKind resize_operation();
OperationKind crop_operation();
OperationKind flip_operation();
OperationKind rotate_operation();
OperationKind grayscale_operation();
OperationKind normalise_operation();
OperationKind equalise_operation();
OperationKind blur_operation();
OperationKind augment_operation();

}  // namespace framefleet::worker
