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
  /// Decodes what all planes of a picture are made of: the inks of one in CMYK.
  Result<void, PictureError> begin(std::span<const std::byte> bytes, const ImageHeader& header,
                                   DecodeScale scale);
  /// True where the pixels are damaged: decoded as far as the bytes go.
  /// Requires: begin() of the same picture at the same scale.
  Result<bool, PictureError> decode(std::span<const std::byte> bytes, const ImageHeader& header,
                                    int channels, DecodeScale scale, PlaneBuffer& out);
  /// See PlaneBuffer. For a picture that is not a JPEG in CMYK.
  void give_back_excess() { cmyk_.give_back_excess(); }

 private:
  Result<bool, PictureError> decompress(std::span<const std::byte> bytes, const ImageHeader& header,
                                        int pixel_format, DecodeScale scale, PlaneBuffer& out);

  PlaneBuffer cmyk_;
  bool cmyk_damaged_{false};
};

/// libpng: 16 bits are cut to 8, alpha is dropped, palettes are expanded. A PNG that is cut short
/// or fails a checksum is undecodable: the format promises that what is there is right.
Result<void, PictureError> decode_png(std::span<const std::byte> bytes, const ImageHeader& header,
                                      int channels, PlaneBuffer& out);

/// libwebp: BGR, alpha is dropped.
Result<void, PictureError> decode_webp(std::span<const std::byte> bytes, const ImageHeader& header,
                                       PlaneBuffer& out);

}  // namespace framefleet::worker
