#include "worker/decoding/header_parsers.hpp"

#include <fmt/format.h>

namespace framefleet::worker {
namespace {

constexpr std::size_t kFileHeader = 14;
constexpr std::size_t kPixelsAt = 10;  ///< Where the offset of the pixels is written.
constexpr std::uint32_t kOldHeader = 12;
constexpr std::uint32_t kHeaderMin = 40;
constexpr std::uint32_t kHeaderMax = 124;
constexpr std::uint32_t kColoursMax = 256;

enum Coding : std::uint32_t { plain = 0, rle8 = 1, rle4 = 2, bit_fields = 3 };

struct Layout {
  std::uint32_t bits{0};
  std::uint32_t coding{plain};
  std::uint32_t colours{0};
  bool top_down{false};
};

bool is_coding_of(const Layout& layout) {
  switch (layout.coding) {
    case plain:
      return layout.bits == 1 || layout.bits == 4 || layout.bits == 8 || layout.bits == 16 ||
             layout.bits == 24 || layout.bits == 32;
    case rle8:
      return layout.bits == 8 && !layout.top_down;
    case rle4:
      return layout.bits == 4 && !layout.top_down;
    case bit_fields:
      return layout.bits == 16 || layout.bits == 32;
    default:
      return false;
  }
}

void read_size(ByteView info, bool old, ImageHeader& header, Layout& layout) {
  if (old) {
    header.width = info.le16(4);
    header.height = info.le16(6);
    layout.bits = info.le16(10);
    return;
  }
  header.width = info.le32(4);
  header.height = info.le32(8);
  layout.top_down = (header.height >> 31U) != 0;
  if (layout.top_down) header.height = 0U - header.height;
  layout.bits = info.le16(14);
  layout.coding = info.le32(16);
  layout.colours = info.le32(32);
}

}  // namespace

Result<ImageHeader, PictureError> read_bmp_header(ByteView bytes, const ImageLimits& limits) {
  const std::uint32_t header_bytes = bytes.le32(kFileHeader);
  const bool old = header_bytes == kOldHeader;
  if (!bytes.has(kFileHeader, kOldHeader) || (!old && !bytes.has(kFileHeader, kHeaderMin))) {
    return undecodable("BMP ends before its header");
  }
  if (!old && (header_bytes < kHeaderMin || header_bytes > kHeaderMax)) {
    return undecodable(fmt::format("BMP has an unknown header of {} bytes", header_bytes));
  }
  ImageHeader header;
  header.format = ImageFormat::bmp;
  Layout layout;
  read_size(bytes.slice(kFileHeader, header_bytes), old, header, layout);
  if (const auto refusal = check_size(header, limits)) return fail(*refusal);
  if (!is_coding_of(layout)) {
    return undecodable(fmt::format("BMP of {} bits with compression {}{} is not supported",
                                   layout.bits, layout.coding,
                                   layout.top_down ? ", from the top down," : ""));
  }
  if (layout.colours > kColoursMax) {
    return undecodable(fmt::format("BMP promises {} colours", layout.colours));
  }
  header.channels = layout.bits == 32 ? 4 : 3;

  const std::size_t pixels_at = bytes.le32(kPixelsAt);
  const std::uint64_t row_bytes = (std::uint64_t{header.width} * layout.bits + 31) / 32 * 4;
  const bool packed = layout.coding == rle8 || layout.coding == rle4;
  const std::uint64_t needed = packed ? 1 : row_bytes * header.height;
  if (pixels_at < kFileHeader + header_bytes) {
    return undecodable("BMP has its pixels within its header");
  }
  if (!bytes.has(pixels_at, needed)) return undecodable("BMP ends before its last pixel");
  return header;
}

}  // namespace framefleet::worker
