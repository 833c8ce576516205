#pragma once
// The image gate: decides from the bytes of a header, before any memory is taken, whether a picture
// is one that may be decoded. Everything that reaches a decoder has passed here.
//
// Pure functions, any thread. Formats: JPEG, PNG, WebP, and BMP and TIFF where they are asked for;
// everything else is refused by name, because every further decoder is one more way in.

#include "worker/decoding/byte_view.hpp"
#include "worker/decoding/image_format.hpp"
#include "worker/decoding/picture.hpp"

#include "shared/base/result.hpp"

#include <cstdint>
#include <span>

namespace framefleet::worker {

struct ImageLimits {
  /// What is let in at all.
  FormatSet formats{ImageFormat::jpeg, ImageFormat::png, ImageFormat::webp};
  /// 50 MP is more than any camera of a fleet sends, and 150 MB as BGR: what one decode may cost.
  std::uint64_t pixels_max{50'000'000};
  /// The compressed picture. A 50 MP JPEG of the best quality stays under 40 MB.
  std::uint64_t bytes_max{std::uint64_t{64} << 20U};
  /// Detectors keep coordinates in 16 or 24 bits in places; no sensor is wider.
  std::uint32_t side_max{20'000};
  /// A progressive JPEG decodes every scan over the whole picture: 1000 scans in 76 KB cost
  /// seconds. Encoders write about 10.
  std::uint32_t jpeg_scans_max{100};
  /// Pixels that all scans of a JPEG go over, each component of a scan counted: what few scans of a
  /// huge picture may cost. A progressive 50 MP photo has 14 such passes.
  std::uint64_t jpeg_scan_pixels_max{750'000'000};
  /// Chunks of a PNG in front of its pixels, and of a WebP; libpng's own default for what it keeps.
  std::uint32_t chunks_max{1000};
};

struct ImageHeader {
  ImageFormat format{ImageFormat::jpeg};
  std::uint32_t width{0};  ///< As stored: before the orientation is applied.
  std::uint32_t height{0};
  int channels{0};  ///< JPEG: components (4 is CMYK or YCCK). Others: with alpha.
  int bit_depth{8};
  int orientation{1};  ///< EXIF, 1 to 8.

  bool operator==(const ImageHeader&) const = default;
};

/// What the header promises, or why the picture is refused (empty_picture, not_a_picture,
/// too_large_picture, undecodable) in words that name the value and the limit.
Result<ImageHeader, PictureError> inspect_image(std::span<const std::byte> bytes,
                                                const ImageLimits& limits);

}  // namespace framefleet::worker
