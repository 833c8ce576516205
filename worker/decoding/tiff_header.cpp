#include "worker/decoding/exif.hpp"
#include "worker/decoding/header_parsers.hpp"
#include "worker/decoding/tiff_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace framefleet::worker {
namespace {

/// No compression, LZW, Deflate under both of its numbers, PackBits. JPEG, fax, WebP and the like
/// inside a TIFF would each be a decoder of its own.
constexpr std::array<std::uint32_t, 5> kCompressions{1, 5, 8, 32946, 32773};

enum Photometric : std::uint32_t { white_is_zero = 0, black_is_zero = 1, rgb = 2, palette = 3 };

struct Pixels {
  std::uint32_t bits{1};
  std::uint32_t samples{1};
  std::uint32_t photometric{black_is_zero};
};

bool is_supported(const Pixels& pixels) {
  const bool whole_bytes = pixels.bits == 8 || pixels.bits == 16;
  switch (pixels.photometric) {
    case white_is_zero:
      return pixels.samples == 1 && (pixels.bits == 1 || pixels.bits == 8);
    case black_is_zero:
      return pixels.samples == 1 && (pixels.bits == 1 || whole_bytes);
    case rgb:
      return (pixels.samples == 3 || pixels.samples == 4) && whole_bytes;
    case palette:
      return pixels.samples == 1 && pixels.bits == 8;
    default:
      return false;
  }
}

std::optional<PictureError> check_pixels(const TiffDirectory& tiff, ImageHeader& header) {
  const auto refuse = [](std::string text) {
    return PictureError{Reason::undecodable, std::move(text)};
  };
  Pixels pixels;
  pixels.bits = tiff.value_or(tiff_tag::kBitsPerSample, 1);
  pixels.samples = tiff.value_or(tiff_tag::kSamplesPerPixel, 1);
  pixels.photometric = tiff.value_or(tiff_tag::kPhotometric, black_is_zero);
  if (!is_supported(pixels)) {
    return refuse(
        fmt::format("TIFF of {} samples with {} bits and colour model {} is not "
                    "supported; 8 and 16 bits in grey and RGB, 8 in a palette and 1 are",
                    pixels.samples, pixels.bits, pixels.photometric));
  }
  for (std::uint32_t i = 0; i < tiff.count(tiff_tag::kBitsPerSample); ++i) {
    if (i >= pixels.samples || tiff.value(tiff_tag::kBitsPerSample, i) != pixels.bits) {
      return refuse("TIFF has samples of different sizes");
    }
  }
  for (std::uint32_t i = 0; i < tiff.count(tiff_tag::kSampleFormat); ++i) {
    if (i >= pixels.samples || tiff.value(tiff_tag::kSampleFormat, i) != 1) {
      return refuse("TIFF has samples that are no unsigned integers");
    }
  }
  const auto compression = tiff.value_or(tiff_tag::kCompression, 1);
  if (std::find(kCompressions.begin(), kCompressions.end(), compression) == kCompressions.end()) {
    return refuse(
        fmt::format("TIFF has compression {}; none, LZW, Deflate and PackBits are "
                    "accepted",
                    compression));
  }
  const auto predictor = tiff.value_or(tiff_tag::kPredictor, 1);
  const auto planes = tiff.value_or(tiff_tag::kPlanarConfiguration, 1);
  if (predictor < 1 || predictor > 2 || planes < 1 || planes > 2) {
    return refuse(
        fmt::format("TIFF has predictor {} and planar configuration {}; 1 and 2 are "
                    "accepted",
                    predictor, planes));
  }
  header.bit_depth = static_cast<int>(pixels.bits);
  header.channels = static_cast<int>(pixels.samples);
  return std::nullopt;
}

/// Pieces that a picture is stored in: strips or tiles, of one plane or of one for each sample.
struct Pieces {
  std::uint32_t width{0};
  std::uint32_t height{0};
  std::uint32_t offsets{tiff_tag::kStripOffsets};
  std::uint32_t byte_counts{tiff_tag::kStripByteCounts};
};

std::uint64_t pieces_over(std::uint64_t side, std::uint64_t piece) {
  return (side + piece - 1) / piece;
}

Result<Pieces, PictureError> read_pieces(const TiffDirectory& tiff, const ImageHeader& header) {
  Pieces pieces;
  if (!tiff.has(tiff_tag::kTileWidth) && !tiff.has(tiff_tag::kTileOffsets)) {
    const auto rows = tiff.value_or(tiff_tag::kRowsPerStrip, header.height);
    if (rows == 0) return undecodable("TIFF has strips of no rows");
    pieces.width = header.width;
    pieces.height = std::min(rows, header.height);
    return pieces;
  }
  constexpr std::uint32_t kTileStep = 16;
  pieces.width = tiff.value_or(tiff_tag::kTileWidth, 0);
  pieces.height = tiff.value_or(tiff_tag::kTileHeight, 0);
  pieces.offsets = tiff_tag::kTileOffsets;
  pieces.byte_counts = tiff_tag::kTileByteCounts;
  const bool malformed = pieces.width == 0 || pieces.height == 0 || pieces.width % kTileStep != 0 ||
                         pieces.height % kTileStep != 0 || tiff.has(tiff_tag::kStripOffsets);
  if (malformed) {
    return undecodable(
        fmt::format("TIFF has malformed tiles of {} x {}", pieces.width, pieces.height));
  }
  // libtiff 4.5 rounds the size of such a tile up and then calls it wrong.
  constexpr std::uint64_t kReadStep = 1024;
  const bool apart = tiff.value_or(tiff_tag::kPlanarConfiguration, 1) == 2;
  const auto samples = static_cast<std::uint64_t>(apart ? 1 : header.channels);
  const std::uint64_t row_bytes =
      std::uint64_t{pieces.width} * samples * static_cast<std::uint64_t>(header.bit_depth) / 8;
  if (tiff.value_or(tiff_tag::kCompression, 1) == 1 &&
      row_bytes % kReadStep * pieces.height % kReadStep != 0) {
    return undecodable(
        fmt::format("TIFF has tiles of {} x {} without compression, whose bytes are "
                    "no multiple of {}",
                    pieces.width, pieces.height, kReadStep));
  }
  return pieces;
}

/// Each piece must be within the file and all together no larger than it, so that no byte is worked
/// on twice; and pieces may stand over the edges of the picture, but not for its double.
std::optional<PictureError> check_pieces(const TiffDirectory& tiff, const Pieces& pieces,
                                         const ImageHeader& header, std::uint64_t file_bytes,
                                         const ImageLimits& limits) {
  const auto refuse = [](Reason reason, std::string text) {
    return PictureError{reason, std::move(text)};
  };
  const std::uint64_t pixels_of_one = std::uint64_t{pieces.width} * pieces.height;
  const std::uint64_t over =
      pieces_over(header.width, pieces.width) * pieces_over(header.height, pieces.height);
  // One piece is at most 2^64 pixels and `over` at most 2^30: compared by division.
  if (pixels_of_one > 2 * limits.pixels_max / over) {
    return refuse(Reason::too_large_picture,
                  fmt::format("TIFF has {} pieces of {} x {} pixels; the limit is {} pixels in all",
                              over, pieces.width, pieces.height, 2 * limits.pixels_max));
  }
  const bool apart = tiff.value_or(tiff_tag::kPlanarConfiguration, 1) == 2;
  const std::uint64_t wanted = over * (apart ? static_cast<std::uint64_t>(header.channels) : 1);
  if (tiff.count(pieces.offsets) != wanted || tiff.count(pieces.byte_counts) != wanted) {
    return refuse(Reason::undecodable,
                  fmt::format("TIFF needs {} pieces and has {} with {} sizes", wanted,
                              tiff.count(pieces.offsets), tiff.count(pieces.byte_counts)));
  }
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < wanted; ++i) {
    const std::uint64_t bytes = tiff.value(pieces.byte_counts, i);
    sum += bytes;
    if (tiff.value(pieces.offsets, i) + bytes > file_bytes) {
      return refuse(Reason::undecodable, "TIFF ends before its last pixel");
    }
  }
  if (sum > file_bytes) return refuse(Reason::undecodable, "TIFF has pieces that overlap");
  return std::nullopt;
}

}  // namespace

Result<ImageHeader, PictureError> read_tiff_header(ByteView bytes, const ImageLimits& limits) {
  const auto tiff = TiffDirectory::read(bytes);
  if (!tiff) return undecodable(tiff.error().text);
  ImageHeader header;
  header.format = ImageFormat::tiff;
  header.width = tiff->value_or(tiff_tag::kWidth, 0);
  header.height = tiff->value_or(tiff_tag::kHeight, 0);
  header.orientation = exif_orientation(bytes);
  if (const auto refusal = check_size(header, limits)) return fail(*refusal);
  if (const auto refusal = check_pixels(*tiff, header)) return fail(*refusal);
  const auto pieces = read_pieces(*tiff, header);
  if (!pieces) return fail(pieces.error());
  if (const auto refusal = check_pieces(*tiff, *pieces, header, bytes.size(), limits)) {
    return fail(*refusal);
  }
  return header;
}

}  // namespace framefleet::worker
