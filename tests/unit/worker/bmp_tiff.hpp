#pragma once
// BMP and TIFF files put together by hand, for the kinds that OpenCV reads and does not write, and
// for those that nobody should write.

#include "tests/unit/worker/picture_seeds.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace framefleet::test {

/// The pattern that all of them show: which of the 2^bits (8 at most) values is at x, y;
std::uint32_t index_at(int x, int y, std::uint32_t bits);
/// and the colour of each where there are colours, as red, green and blue.
std::array<std::uint8_t, 3> colour_of(std::uint32_t index);

struct BmpFile {
  std::int32_t width{kSeedWidth};
  std::int32_t height{kSeedHeight};  ///< Negative: from the top down.
  std::uint32_t bits{24};
  std::uint32_t compression{0};
  std::uint32_t colours{0};  ///< As the header says.
  std::string pixels;
  bool old_header{false};  ///< Of OS/2: 12 bytes.
};
/// With a palette of the pattern's colours, up to 8 bits.
std::string written(const BmpFile& bmp);
/// The pattern in 1, 4, 8, 24 or 32 bits.
BmpFile plain_bmp(std::uint32_t bits);
/// The pattern in 8 bits, packed.
BmpFile rle8_bmp();

struct TiffField {
  std::uint32_t tag;
  std::uint32_t type;  ///< 3: two bytes, 4: four.
  std::vector<std::uint32_t> values;
};

struct TiffFile {
  bool big_endian{false};
  std::vector<TiffField> fields;    ///< In the order of their tags.
  std::vector<std::string> pieces;  ///< Strips or tiles; their offsets and sizes are added.
  bool tiled{false};
  std::uint32_t next{0};  ///< Where the next directory is said to be.

  /// This field in place of those of its tag.
  TiffFile with(TiffField field) const;
};
/// The directory comes first, then values that do not fit into it, then the pieces.
std::string written(const TiffFile& tiff);
/// The pattern without compression in one strip: grey (0: white is 0, 1: black is) in 1, 8 or 16
/// bits, RGB (2) in 8 or 16, or a palette (3) of 8.
TiffFile plain_tiff(std::uint32_t photometric, std::uint32_t bits, bool big_endian = false);
/// RGB of 8 bits in tiles of 32 x 32.
TiffFile tiled_tiff(bool big_endian);
/// RGB of 8 bits, a strip for each colour.
TiffFile planar_tiff();

/// Sound ones of every kind that is accepted.
std::vector<Seed> bmp_tiff_seeds();

}  // namespace framefleet::test
