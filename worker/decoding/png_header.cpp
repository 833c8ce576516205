#include "worker/decoding/exif.hpp"
#include "worker/decoding/header_parsers.hpp"

#include <fmt/format.h>

namespace framefleet::worker {
namespace {

constexpr std::size_t kSignatureBytes = 8;
constexpr std::size_t kHeaderChunkBytes = 13;
constexpr std::size_t kChunkOverhead = 12;  // Length, name, checksum.

int channels_of(std::uint8_t colour_type) {
  switch (colour_type) {
    case 0:
      return 1;
    case 2:
      return 3;
    case 3:
      return 1;
    case 4:
      return 2;
    case 6:
      return 4;
    default:
      return 0;
  }
}

}  // namespace

Result<ImageHeader, PictureError> read_png_header(ByteView bytes, const ImageLimits& limits) {
  if (!bytes.has(kSignatureBytes, kChunkOverhead + kHeaderChunkBytes)) {
    return undecodable("PNG ends before its header");
  }
  if (!bytes.holds(kSignatureBytes + 4, "IHDR") ||
      bytes.be32(kSignatureBytes) != kHeaderChunkBytes) {
    return undecodable("PNG does not start with its header");
  }
  ImageHeader header;
  header.format = ImageFormat::png;
  header.width = bytes.be32(kSignatureBytes + 8);
  header.height = bytes.be32(kSignatureBytes + 12);
  header.bit_depth = bytes.u8(kSignatureBytes + 16);
  header.channels = channels_of(bytes.u8(kSignatureBytes + 17));
  if (const auto refusal = check_size(header, limits)) return fail(*refusal);
  if (header.channels == 0) return undecodable("PNG has an unknown colour type");

  std::size_t at = kSignatureBytes + kChunkOverhead + kHeaderChunkBytes;
  for (std::uint32_t chunks = 0; bytes.has(at, kChunkOverhead); ++chunks) {
    if (chunks >= limits.chunks_max) {
      return fail(PictureError{
          Reason::too_large_picture,
          fmt::format("PNG has more than {} chunks before its pixels", limits.chunks_max)});
    }
    const std::size_t length = bytes.be32(at);
    if (bytes.holds(at + 4, "IDAT")) return header;
    if (!bytes.has(at + kChunkOverhead, length)) break;
    if (bytes.holds(at + 4, "eXIf"))
      header.orientation = exif_orientation(bytes.slice(at + 8, length));
    at += kChunkOverhead + length;
  }
  return undecodable("PNG ends before its pixels");
}

}  // namespace framefleet::worker
