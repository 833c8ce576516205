#pragma once
// The parts of the image gate, one per format. Internal to worker/decoding.

#include "worker/decoding/image_gate.hpp"

#include <optional>
#include <string>

namespace framefleet::worker {

/// Requires: bytes that start with the magic of the format.
Result<ImageHeader, PictureError> read_jpeg_header(ByteView bytes, const ImageLimits& limits);
Result<ImageHeader, PictureError> read_png_header(ByteView bytes, const ImageLimits& limits);
Result<ImageHeader, PictureError> read_webp_header(ByteView bytes, const ImageLimits& limits);
Result<ImageHeader, PictureError> read_bmp_header(ByteView bytes, const ImageLimits& limits);
Result<ImageHeader, PictureError> read_tiff_header(ByteView bytes, const ImageLimits& limits);

/// Refuses a size of zero, too many pixels, or a side too long.
std::optional<PictureError> check_size(const ImageHeader& header, const ImageLimits& limits);

/// `undecodable` with this text.
tl::unexpected<PictureError> undecodable(std::string text);

}  // namespace framefleet::worker
