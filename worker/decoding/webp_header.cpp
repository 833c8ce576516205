#include "worker/decoding/exif.hpp"
#include "worker/decoding/header_parsers.hpp"

#include <fmt/format.h>

namespace framefleet::worker {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kFirstChunk = 12;  // Behind "RIFF", a size and "WEBP".
constexpr std::size_t kChunkHeader = 8;
constexpr std::uint32_t kFlagAnimation = 0x02;
constexpr std::uint32_t kFlagAlpha = 0x10;

/// The size in a lossy key frame ("VP8 "), as stored: 14 bits each, the upper 2 ask for scaling.
bool read_lossy(ByteView frame, ImageHeader& header) {
  if (!frame.has(0, 10) || !frame.holds(3, "\x9D\x01\x2A"sv)) return false;
  header.width = frame.le16(6) & 0x3FFFU;
  header.height = frame.le16(8) & 0x3FFFU;
  header.channels = 3;
  return true;
}

bool read_lossless(ByteView frame, ImageHeader& header) {
  if (!frame.has(0, 5) || frame.u8(0) != 0x2F) return false;
  const std::uint32_t bits = frame.le32(1);
  header.width = (bits & 0x3FFFU) + 1;
  header.height = ((bits >> 14U) & 0x3FFFU) + 1;
  header.channels = ((bits >> 28U) & 1U) != 0 ? 4 : 3;
  return true;
}

bool read_extended(ByteView chunk, ImageHeader& header) {
  if (!chunk.has(0, 10)) return false;
  header.width = chunk.le24(4) + 1;
  header.height = chunk.le24(7) + 1;
  header.channels = (chunk.u8(0) & kFlagAlpha) != 0 ? 4 : 3;
  return true;
}

/// The orientation in an extended file's EXIF chunk, which stands behind the pixels.
int find_orientation(ByteView bytes, const ImageLimits& limits) {
  std::size_t at = kFirstChunk;
  for (std::uint32_t chunks = 0; chunks < limits.chunks_max; ++chunks) {
    if (!bytes.has(at, kChunkHeader)) break;
    const std::size_t length = bytes.le32(at + 4);
    if (bytes.holds(at, "EXIF")) {
      const ByteView chunk = bytes.slice(at + kChunkHeader, length);
      const auto prefix = "Exif\0\0"sv;  // Some writers copy it over from a JPEG.
      const std::size_t skip = chunk.holds(0, prefix) ? prefix.size() : 0;
      return exif_orientation(chunk.slice(skip, length));
    }
    at += kChunkHeader + length + length % 2;
  }
  return 1;
}

}  // namespace

Result<ImageHeader, PictureError> read_webp_header(ByteView bytes, const ImageLimits& limits) {
  ImageHeader header;
  header.format = ImageFormat::webp;
  const ByteView chunk = bytes.slice(kFirstChunk + kChunkHeader, bytes.le32(kFirstChunk + 4));
  const bool extended = bytes.holds(kFirstChunk, "VP8X");
  const bool sound = extended ? read_extended(chunk, header)
                     : bytes.holds(kFirstChunk, "VP8L")
                         ? read_lossless(chunk, header)
                         : bytes.holds(kFirstChunk, "VP8 ") && read_lossy(chunk, header);
  if (!sound) return undecodable("WebP ends before its header, or its header is malformed");
  if (const auto refusal = check_size(header, limits)) return fail(*refusal);
  if (extended && (chunk.u8(0) & kFlagAnimation) != 0) {
    return undecodable("animated WebP; only still pictures are accepted");
  }
  if (extended) header.orientation = find_orientation(bytes, limits);
  return header;
}

}  // namespace framefleet::worker
