#pragma once
// Turns the bytes of a picture into an upright Picture: image gate, decoder of the format (JPEG,
// PNG and WebP here, others where a program brings a decoder for them), EXIF orientation. Pixels
// equal those of cv::imread (a test compares), at half its time for a JPEG, without imgcodecs' 118
// libraries, and a truncated JPEG is told from a whole one.
//
// One object per thread; buffers are reused, so a Picture is valid until the next decode.

#include "worker/decoding/image_gate.hpp"
#include "worker/decoding/picture.hpp"

#include "shared/base/result.hpp"

#include <memory>
#include <span>

namespace framefleet::worker {

/// Which planes are wanted. Each costs its own pass over the bytes of a JPEG or PNG: grey taken
/// from BGR would not be the luma that grey detectors are defined on, and both together still cost
/// less than one imread.
struct Planes {
  bool grey{true};
  bool bgr{false};
};

/// Decodes a picture of FormatSet::of_imgcodecs() that passed the image gate, as stored, into 1
/// (grey) or 3 (BGR) channels. Throws std::bad_alloc and nothing else.
using OtherDecoder = Result<void, PictureError> (*)(std::span<const std::byte> bytes,
                                                    const ImageHeader& header, int channels,
                                                    PlaneBuffer& out);

class Decoder {
 public:
  /// Without `others` a picture of their formats is undecodable, whatever the limits let in.
  explicit Decoder(ImageLimits limits = {}, OtherDecoder others = nullptr);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// `scale` is what a JPEG is decoded at, at a fraction of the cost; other formats are decoded in
  /// full, and the picture says which it was.
  /// Requires: at least one plane. Throws std::bad_alloc and nothing else.
  Result<Picture, PictureError> decode(std::span<const std::byte> bytes, Planes planes,
                                       DecodeScale scale = DecodeScale::full);
  /// What the gate lets in, undecoded: the sizes that the header says, upright, and no planes.
  Result<Picture, PictureError> measure(std::span<const std::byte> bytes) const;

 private:
  struct Parts;

  Result<bool, PictureError> decode_plane(std::span<const std::byte> bytes,
                                          const ImageHeader& header, int channels,
                                          DecodeScale scale, PlaneBuffer& out);

  ImageLimits limits_;
  OtherDecoder others_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace framefleet::worker
