#pragma once
// The first directory of a TIFF: its entries as they stand, bounds-checked, and nothing followed.
// Later pages, directories within it and what its other tags point to are never looked at, so a
// file cannot lead a reader in circles. Pure functions, any thread.

#include "worker/decoding/byte_view.hpp"

#include "shared/base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::worker {

/// Tags that say how pixels are stored: all that is needed to decode them.
namespace tiff_tag {
inline constexpr std::uint32_t kWidth = 256;
inline constexpr std::uint32_t kHeight = 257;
inline constexpr std::uint32_t kBitsPerSample = 258;
inline constexpr std::uint32_t kCompression = 259;
inline constexpr std::uint32_t kPhotometric = 262;
inline constexpr std::uint32_t kFillOrder = 266;
inline constexpr std::uint32_t kStripOffsets = 273;
inline constexpr std::uint32_t kSamplesPerPixel = 277;
inline constexpr std::uint32_t kRowsPerStrip = 278;
inline constexpr std::uint32_t kStripByteCounts = 279;
inline constexpr std::uint32_t kPlanarConfiguration = 284;
inline constexpr std::uint32_t kPredictor = 317;
inline constexpr std::uint32_t kColorMap = 320;
inline constexpr std::uint32_t kTileWidth = 322;
inline constexpr std::uint32_t kTileHeight = 323;
inline constexpr std::uint32_t kTileOffsets = 324;
inline constexpr std::uint32_t kTileByteCounts = 325;
inline constexpr std::uint32_t kSampleFormat = 339;
}  // namespace tiff_tag

/// A word of text where a TIFF cannot be read.
struct TiffFault {
  std::string text;
};

class TiffDirectory {
 public:
  /// Requires: bytes that start with the magic of a TIFF; they must outlive it. Every entry of a
  /// tag above lies within the bytes with all its values, is of integers, and is there once.
  static Result<TiffDirectory, TiffFault> read(ByteView bytes);

  bool has(std::uint32_t tag) const { return find(tag) != nullptr; }
  /// Values that the tag has; 0 where it is not there.
  std::uint32_t count(std::uint32_t tag) const;
  /// Of a tag that is there. Requires: index < count(tag).
  std::uint32_t value(std::uint32_t tag, std::uint32_t index) const;
  /// The first value, or what is meant where there is none.
  std::uint32_t value_or(std::uint32_t tag, std::uint32_t otherwise) const;

  /// The same file with the tags above as its only ones and without further pages: what a decoder
  /// gets to see of it. Orientation is not among them.
  std::vector<std::uint8_t> bytes_of_pixels_alone() const;

 private:
  struct Entry {
    std::uint32_t tag;
    std::uint32_t count;
    std::size_t at;          ///< Of the entry itself.
    std::size_t values_at;   ///< Within the bytes, all of them.
    std::size_t value_size;  ///< In bytes: 1, 2 or 4.
  };

  explicit TiffDirectory(ByteView bytes) : bytes_(bytes), little_(bytes.holds(0, "II")) {}
  std::uint32_t u16(std::size_t at) const { return little_ ? bytes_.le16(at) : bytes_.be16(at); }
  std::uint32_t u32(std::size_t at) const { return little_ ? bytes_.le32(at) : bytes_.be32(at); }
  const Entry* find(std::uint32_t tag) const;
  std::optional<std::string> take(std::size_t entry_at);

  ByteView bytes_;
  bool little_;
  std::size_t begin_{0};        ///< Of the directory, with its count;
  std::size_t end_{0};          ///< and behind its last field, which may be outside of the bytes.
  std::vector<Entry> entries_;  ///< Of tags above, as they stand in the file.
};

}  // namespace framefleet::worker
