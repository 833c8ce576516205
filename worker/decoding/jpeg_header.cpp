#include "worker/decoding/exif.hpp"
#include "worker/decoding/header_parsers.hpp"

#include <fmt/format.h>

namespace framefleet::worker {
namespace {

using namespace std::string_view_literals;

constexpr std::uint8_t kEndOfImage = 0xD9;
constexpr std::uint8_t kStartOfScan = 0xDA;
constexpr std::uint8_t kApp1 = 0xE1;
constexpr auto kExifName = "Exif\0\0"sv;

bool is_frame_header(std::uint8_t marker) {
  // C4 (Huffman tables), C8 (reserved) and CC (arithmetic conditioning) share the range.
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// Huffman-coded baseline, extended and progressive: what cameras and browsers write. Arithmetic
/// coding costs several times as much for each byte, and the others libjpeg does not have.
bool is_accepted_coding(std::uint8_t frame_marker) { return frame_marker <= 0xC2; }

/// Stuffed zeros and restart markers inside a scan, and markers that have no length.
bool stands_alone(std::uint8_t marker) {
  return marker == 0x00 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
}

/// Position behind the next FF xx, and xx; position size() at the end. Bytes that belong to no
/// marker (a scan's data, or garbage) are stepped over as libjpeg does.
struct MarkerAt {
  std::uint8_t marker;
  std::size_t next;
};
MarkerAt next_marker(ByteView bytes, std::size_t at) {
  at = bytes.find(0xFF, at);
  while (at < bytes.size() && bytes.u8(at) == 0xFF) ++at;
  if (at >= bytes.size()) return {kEndOfImage, bytes.size()};
  return {bytes.u8(at), at + 1};
}

bool is_scan_data(ByteView bytes, std::size_t at) {
  return at < bytes.size() && (bytes.u8(at) != 0xFF || stands_alone(bytes.u8(at + 1)));
}

/// What is learnt on the way through a JPEG's segments.
struct Survey {
  ImageHeader header;
  bool have_frame{false};
  bool have_exif{false};
  bool have_pixels{false};
  std::uint32_t scans{0};
  std::uint64_t scan_pixels{0};
};

std::optional<PictureError> take_frame(std::uint8_t marker, ByteView body,
                                       const ImageLimits& limits, Survey& survey) {
  if (!is_accepted_coding(marker)) {
    return PictureError{Reason::undecodable,
                        fmt::format("JPEG has a frame of coding {:02x} (arithmetic, lossless or "
                                    "hierarchical); baseline and progressive are accepted",
                                    marker)};
  }
  survey.have_frame = true;
  ImageHeader& header = survey.header;
  header.bit_depth = body.u8(0);
  header.height = body.be16(1);
  header.width = body.be16(3);
  header.channels = body.u8(5);
  return check_size(header, limits);
}

std::optional<PictureError> take_scan(ByteView body, const ImageLimits& limits, Survey& survey) {
  if (++survey.scans > limits.jpeg_scans_max) {
    return PictureError{
        Reason::too_large_picture,
        fmt::format("JPEG has more than {} scans, the limit", limits.jpeg_scans_max)};
  }
  const std::uint64_t components = body.u8(0);
  survey.scan_pixels += components * survey.header.width * survey.header.height;
  if (survey.scan_pixels > limits.jpeg_scan_pixels_max) {
    return PictureError{
        Reason::too_large_picture,
        fmt::format("JPEG goes over {} x {} pixels in {} scans or more; the limit is {} pixels, "
                    "each component of a scan counted",
                    survey.header.width, survey.header.height, survey.scans,
                    limits.jpeg_scan_pixels_max)};
  }
  return std::nullopt;
}

void take_exif(ByteView body, Survey& survey) {
  if (survey.have_exif || !body.holds(0, kExifName)) return;
  survey.have_exif = true;
  survey.header.orientation = exif_orientation(body.slice(kExifName.size(), body.size()));
}

}  // namespace

Result<ImageHeader, PictureError> read_jpeg_header(ByteView bytes, const ImageLimits& limits) {
  constexpr std::uint32_t kLengthBytes = 2;
  Survey survey;
  survey.header.format = ImageFormat::jpeg;
  for (std::size_t at = 2; at < bytes.size();) {
    const auto [marker, segment] = next_marker(bytes, at);
    at = segment;
    if (marker == kEndOfImage) break;
    if (stands_alone(marker)) continue;
    const std::uint32_t length = bytes.be16(segment);  // Includes its own two bytes.
    if (!bytes.has(segment, length) || !bytes.has(segment, kLengthBytes)) break;
    if (length < kLengthBytes) {
      return undecodable(fmt::format("JPEG segment {:02x} is malformed", marker));
    }
    const ByteView body = bytes.slice(segment + kLengthBytes, length - kLengthBytes);
    std::optional<PictureError> refusal;
    if (is_frame_header(marker) && !survey.have_frame) {
      refusal = take_frame(marker, body, limits, survey);
    } else if (marker == kApp1) {
      take_exif(body, survey);
    } else if (marker == kStartOfScan) {
      refusal = take_scan(body, limits, survey);
      survey.have_pixels = survey.have_pixels || is_scan_data(bytes, segment + length);
    }
    if (refusal) return fail(std::move(*refusal));
    at = segment + length;
  }
  if (!survey.have_frame) return undecodable("JPEG ends before its frame header");
  if (!survey.have_pixels) return undecodable("JPEG ends before its pixels");
  return survey.header;
}

}  // namespace framefleet::worker
