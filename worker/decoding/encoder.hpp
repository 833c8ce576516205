#pragma once
// Encodes a plane as a JPEG (baseline, 4:2:0) with TurboJPEG, or as a PNG with libpng. One object
// per thread.

#include "worker/decoding/picture.hpp"

#include "shared/base/result.hpp"

#include <string>

namespace framefleet::worker {

class JpegEncoder {
 public:
  JpegEncoder();
  ~JpegEncoder();
  JpegEncoder(const JpegEncoder&) = delete;
  JpegEncoder& operator=(const JpegEncoder&) = delete;

  /// `quality` 1 to 100. Requires: a plane with pixels. Throws std::bad_alloc.
  Result<std::string, Error> encode(const Plane& plane, int quality);

 private:
  void* handle_;
};

/// As it is, at libpng's own compromise between time and size. Requires: a plane with pixels.
/// Throws std::bad_alloc.
Result<std::string, Error> encode_png(const Plane& plane);

}  // namespace framefleet::worker
