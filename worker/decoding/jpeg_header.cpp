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

}  // namespace

Result<ImageHeader, PictureError> read_jpeg_header(ByteView bytes, const ImageLimits& limits) {
  ImageHeader header;
  header.format = ImageFormat::jpeg;
  bool have_frame = false;
  bool have_exif = false;
  bool have_pixels = false;
  std::uint32_t scans = 0;
  for (std::size_t at = 2; at < bytes.size();) {
    const auto [marker, segment] = next_marker(bytes, at);
    at = segment;
    if (marker == kEndOfImage) break;
    if (stands_alone(marker)) continue;
    const std::uint32_t length = bytes.be16(segment);  // Includes its own two bytes.
    if (!bytes.has(segment, length) || !bytes.has(segment, 2)) break;
    if (length < 2) return undecodable(fmt::format("JPEG segment {:02x} is malformed", marker));
    if (is_frame_header(marker) && !have_frame) {
      have_frame = true;
      header.bit_depth = bytes.u8(segment + 2);
      header.height = bytes.be16(segment + 3);
      header.width = bytes.be16(segment + 5);
      header.channels = bytes.u8(segment + 7);
      if (const auto refusal = check_size(header, limits)) return fail(*refusal);
    } else if (marker == kApp1 && !have_exif && bytes.holds(segment + 2, kExifName)) {
      have_exif = true;
      const std::size_t prefix = 2 + kExifName.size();
      header.orientation =
          exif_orientation(bytes.slice(segment + prefix, length >= prefix ? length - prefix : 0));
    } else if (marker == kStartOfScan) {
      if (++scans > limits.jpeg_scans_max) {
        return fail(PictureError{
            Reason::too_large_picture,
            fmt::format("JPEG has more than {} scans, the limit", limits.jpeg_scans_max)});
      }
      have_pixels = have_pixels || is_scan_data(bytes, segment + length);
    }
    at = segment + length;
  }
  if (!have_frame) return undecodable("JPEG ends before its frame header");
  if (!have_pixels) return undecodable("JPEG ends before its pixels");
  return header;
}

}  // namespace framefleet::worker
