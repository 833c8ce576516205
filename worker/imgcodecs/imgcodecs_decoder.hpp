#pragma once
// BMP and TIFF by OpenCV's imgcodecs, for the one program that links it (main.cpp beside this).
// Pixels equal those of cv::imread as stored; alpha is dropped.

#include "worker/decoding/decoder.hpp"

namespace framefleet::worker {

/// An OtherDecoder. imgcodecs gets to see the bytes of a BMP, and of a TIFF the tags that say how
/// the pixels of its first page are stored.
Result<void, PictureError> decode_by_imgcodecs(std::span<const std::byte> bytes,
                                               const ImageHeader& header, int channels,
                                               PlaneBuffer& out);

}  // namespace framefleet::worker
