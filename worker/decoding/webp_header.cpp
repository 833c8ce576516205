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

PictureError animated() {
  return {Reason::undecodable, "animated WebP; only still pictures are accepted"};
}

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

std::string size_of(const ImageHeader& header) {
  return fmt::format("{} x {}", header.width, header.height);
}

/// The orientation in an EXIF chunk.
int orientation_in(ByteView chunk) {
  const auto prefix = "Exif\0\0"sv;  // Some writers copy it over from a JPEG.
  const std::size_t skip = chunk.holds(0, prefix) ? prefix.size() : 0;
  return exif_orientation(chunk.slice(skip, chunk.size()));
}

/// Goes through the chunks of an extended file: the frame must be as large as the canvas that the
/// header promises, and of pictures there must be one. EXIF stands behind the pixels.
std::optional<PictureError> survey_chunks(ByteView bytes, const ImageLimits& limits,
                                          ImageHeader& header) {
  bool have_frame = false;
  bool have_exif = false;
  std::size_t at = kFirstChunk;
  for (std::uint32_t chunks = 0; bytes.has(at, kChunkHeader); ++chunks) {
    if (chunks >= limits.chunks_max) {
      return PictureError{Reason::too_large_picture,
                          fmt::format("WebP has more than {} chunks", limits.chunks_max)};
    }
    const std::size_t length = bytes.le32(at + 4);
    const ByteView chunk = bytes.slice(at + kChunkHeader, length);
    if (bytes.holds(at, "ANIM") || bytes.holds(at, "ANMF")) return animated();
    const bool lossy = bytes.holds(at, "VP8 ");
    if (!have_frame && (lossy || bytes.holds(at, "VP8L"))) {
      have_frame = true;
      ImageHeader frame = header;
      const bool sound = lossy ? read_lossy(chunk, frame) : read_lossless(chunk, frame);
      if (!sound) return PictureError{Reason::undecodable, "WebP: its frame is malformed"};
      if (frame.width != header.width || frame.height != header.height) {
        return PictureError{Reason::undecodable,
                            fmt::format("WebP promises {} pixels and has a frame of {}",
                                        size_of(header), size_of(frame))};
      }
    } else if (!have_exif && bytes.holds(at, "EXIF")) {
      have_exif = true;
      header.orientation = orientation_in(chunk);
    }
    at += kChunkHeader + length + length % 2;
  }
  if (!have_frame) return PictureError{Reason::undecodable, "WebP ends before its pixels"};
  return std::nullopt;
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
  if (!extended) return header;
  if ((chunk.u8(0) & kFlagAnimation) != 0) return fail(animated());
  if (auto refusal = survey_chunks(bytes, limits, header)) return fail(std::move(*refusal));
  return header;
}

}  // namespace framefleet::worker
