#pragma once
// Draws what was found onto a copy of the picture, for people: boxes with "label 0.87", edge pixels
// as a tint, corners and other specks as small circles. Sizes of lines and letters follow the
// picture's.
//
// One object per thread; its canvas is reused.

#include "worker/decoding/encoder.hpp"
#include "worker/decoding/picture.hpp"

#include "shared/base/detection.hpp"
#include "shared/base/result.hpp"

#include <span>
#include <string>
#include <string_view>

namespace framefleet::worker {

/// One detector's findings. The detector's name picks the colour.
struct Layer {
  std::string_view detector;
  std::span<const Detection> detections;
  Plane mask;  ///< As Found::mask: drawn instead of the boxes. Or empty.
};

class Annotator {
 public:
  /// The annotated picture as a JPEG. Requires: `bgr` is a BGR plane. Throws std::bad_alloc and
  /// what OpenCV throws.
  Result<std::string, Error> draw(const Plane& bgr, std::span<const Layer> layers);

 private:
  PlaneBuffer canvas_;
  JpegEncoder encoder_;
};

}  // namespace framefleet::worker
