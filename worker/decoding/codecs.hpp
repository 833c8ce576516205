#pragma once
// One decoder per format: bytes that passed the image gate in, pixels as stored out. Internal to
// worker/decoding. `channels` is 1 (grey) or 3 (BGR); one object per thread.

#include "worker/decoding/image_gate.hpp"
#include "worker/decoding/picture.hpp"

#include <memory>

namespace framefleet::worker {

/// TurboJPEG. Grey is the JPEG's own luma; CMYK and YCCK become BGR as Adobe writes them, inverted.
/// Nothing of a picture but spare memory is kept for the next one.
class JpegDecoder {
 public:
  /// True where the pixels are damaged: decoded as far as the bytes go.
  Result<bool, PictureError> decode(std::span<const std::byte> bytes, const ImageHeader& header,
                                    int channels, PlaneBuffer& out);

 private:
  Result<bool, PictureError> decompress(std::span<const std::byte> bytes, const ImageHeader& header,
                                        int pixel_format, PlaneBuffer& out);

  PlaneBuffer cmyk_;
};

/// libpng: 16 bits are cut to 8, alpha is dropped, palettes are expanded. A PNG that is cut short
/// or fails a checksum is undecodable: the format promises that what is there is right.
Result<void, PictureError> decode_png(std::span<const std::byte> bytes, const ImageHeader& header,
                                      int channels, PlaneBuffer& out);

/// libwebp: alpha is dropped.
Result<void, PictureError> decode_webp(std::span<const std::byte> bytes, const ImageHeader& header,
                                       int channels, PlaneBuffer& out);

}  // namespace framefleet::worker
