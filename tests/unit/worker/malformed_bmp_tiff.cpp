#include "tests/unit/worker/bmp_tiff.hpp"
#include "tests/unit/worker/malformed_pictures.hpp"

#include <fmt/format.h>

#include <array>

namespace framefleet::test {
namespace {

using namespace std::string_literals;

constexpr std::uint32_t kWidestAllowed = 10'000;
constexpr std::uint32_t kHighestAllowed = 5'000;

/// Each field of a sound TIFF with every value that could hurt, once and many times.
void lie_in_fields(const TiffFile& sound, const std::string& name, const TakePicture& take) {
  constexpr std::array<std::uint32_t, 9> kValues{0,     1,       2,          3,         17,
                                                 65535, 1 << 20, 0x7FFFFFFF, 0xFFFFFFFF};
  auto fields = sound.fields;
  const std::uint32_t offsets = sound.tiled ? 324 : 273;
  fields.push_back({offsets, 4, {}});
  fields.push_back({sound.tiled ? 325U : 279U, 4, {}});
  fields.push_back({284, 3, {}});
  fields.push_back({317, 3, {}});
  for (const auto& field : fields) {
    for (const auto value : kValues) {
      for (const std::size_t count : {1U, 4U, 300U}) {
        const std::vector<std::uint32_t> values(count, value);
        take({fmt::format("{} with {} times {} in tag {}", name, count, value, field.tag),
              written(sound.with({field.tag, 4, values}))});
      }
    }
    take({fmt::format("{} with text in tag {}", name, field.tag),
          written(sound.with({field.tag, 2, {0x41414141}})), Verdict::undecodable});
  }
}

/// Directories that lead in circles, out of the file, or on for ever.
void lie_in_directories(const TakePicture& take) {
  TiffFile circle = plain_tiff(1, 8);
  circle.next = 8;
  take({"a directory that is followed by itself", written(circle), Verdict::pixels});
  circle.next = 0xFFFFFFFF;
  take({"a directory that is followed by nothing", written(circle), Verdict::pixels});
  take({"directories within themselves",
        written(plain_tiff(1, 8).with({330, 4, {8, 8, 8}}).with({34665, 4, {8}})),
        Verdict::pixels});
  const std::string entry = "\0\1\3\0\1\0\0\0\x34\0\0\0"s;
  std::string many = "II*\0\x08\0\0\0\xFF\xFF"s;
  for (int i = 0; i < 65'535; ++i) many += entry;
  take({"65535 entries", many, Verdict::undecodable});
  take({"65535 entries that are not there", "II*\0\x08\0\0\0\xFF\xFF"s, Verdict::undecodable});
  TiffFile crowded = plain_tiff(1, 8);
  for (std::uint32_t tag = 40'000; tag < 40'900; ++tag) crowded = crowded.with({tag, 4, {tag}});
  take({"900 unknown entries", written(crowded), Verdict::pixels});
  take({"a BigTIFF", "II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0"s, Verdict::not_a_picture});
}

/// LZW: a code for clearing, and then what comes; most significant bit first.
std::string lzw_of_zeros(std::size_t bytes) {
  std::string out;
  std::uint32_t bits = 0;
  std::uint32_t filled = 0;
  const auto put = [&](std::uint32_t code, std::uint32_t width) {
    bits = bits << width | code;
    for (filled += width; filled >= 8; filled -= 8) {
      out += static_cast<char>(bits >> (filled - 8));
    }
  };
  constexpr std::uint32_t kClear = 256;
  constexpr std::uint32_t kTableFull = 4093;
  std::size_t written = 0;
  while (written < bytes) {
    put(kClear, 9);
    put(0, 9);
    ++written;
    std::size_t length = 2;
    for (std::uint32_t code = 258; code < kTableFull && written < bytes; ++code, ++length) {
      // The string that is being added: the last one and its first byte.
      put(code, code + 1 < 512 ? 9 : code + 1 < 1024 ? 10 : code + 1 < 2048 ? 11 : 12);
      written += length;
    }
  }
  put(257, 12);
  put(0, 8);
  return out;
}

TiffFile huge(std::uint32_t photometric, std::uint32_t bits, std::uint32_t compression) {
  return plain_tiff(photometric, bits)
      .with({256, 4, {kWidestAllowed}})
      .with({257, 4, {kHighestAllowed}})
      .with({259, 3, {compression}})
      .with({278, 4, {kHighestAllowed}});
}

void tiff_bombs(const TakePicture& take) {
  const std::uint64_t pixels = std::uint64_t{kWidestAllowed} * kHighestAllowed;
  TiffFile grey = huge(1, 8, 8);
  grey.pieces = {deflated_zeros(pixels)};
  take({"50 MP of one grey in one strip", written(grey), Verdict::pixels});
  take({"50 MP of one grey, turned", written(grey.with({274, 3, {6}})), Verdict::pixels});
  grey.pieces = {deflated_zeros(pixels * 20)};
  take({"a strip that inflates to 1 GB", written(grey)});
  TiffFile deep = huge(2, 16, 8);
  deep.pieces = {deflated_zeros(pixels * 6)};
  take({"50 MP in 16 bits and colour in one strip", written(deep), Verdict::any});
  TiffFile rows = huge(2, 8, 8).with({278, 4, {1}});
  rows.pieces.assign(kHighestAllowed, deflated_zeros(std::uint64_t{kWidestAllowed} * 3));
  take({"50 MP in strips of one row", written(rows), Verdict::pixels});
  TiffFile lzw = huge(1, 8, 5);
  lzw.pieces = {lzw_of_zeros(pixels)};
  take({"50 MP of one grey in LZW", written(lzw), Verdict::pixels});
  lzw.pieces = {std::string(60'000'000, '\x80')};
  take({"60 MB of LZW that says nothing", written(lzw)});
  TiffFile nothing = huge(1, 8, 32773);
  nothing.pieces = {std::string(60'000'000, '\x80')};
  take({"60 MB of PackBits that says nothing", written(nothing)});
  take({"50 MP without pixels", written(huge(2, 8, 1)), Verdict::undecodable});
  take({"400 MP", written(plain_tiff(1, 8).with({256, 4, {20'000}}).with({257, 4, {20'000}})),
        Verdict::too_large});
  TiffFile shared = huge(2, 8, 8).with({278, 4, {1}});
  shared.pieces = {deflated_zeros(std::uint64_t{kWidestAllowed} * 3)};
  shared = shared.with({273, 4, std::vector<std::uint32_t>(kHighestAllowed, 200'000)})
               .with({279, 4, std::vector<std::uint32_t>(kHighestAllowed, 100)});
  take({"5000 strips that are one", written(shared), Verdict::undecodable});
  TiffFile tiles = tiled_tiff(false).with({256, 4, {20'000}}).with({257, 4, {1}});
  tiles = tiles.with({322, 4, {16}}).with({323, 4, {20'000}}).with({259, 3, {8}});
  tiles.pieces.assign(1'250, deflated_zeros(std::uint64_t{16} * 20'000 * 3));
  take({"tiles that stand far over the picture", written(tiles), Verdict::too_large});
  TiffFile small = tiled_tiff(false).with({256, 4, {8'000}}).with({257, 4, {6'000}});
  small = small.with({322, 3, {16}}).with({323, 3, {16}}).with({259, 3, {8}});
  small.pieces.assign(500 * 375, deflated_zeros(768));
  take({"48 MP in 187500 tiles", written(small), Verdict::pixels});
}

void bmp_bombs(const TakePicture& take) {
  BmpFile packed = rle8_bmp();
  packed.width = kWidestAllowed;
  packed.height = kHighestAllowed;
  packed.pixels = "\0\1"s;
  take({"50 MP of RLE that ends at once", written(packed)});
  packed.pixels = std::string(60'000'000, '\0');
  take({"60 MB of ends of rows", written(packed)});
  std::string far;
  for (int i = 0; i < 1'000'000; ++i) far += "\0\2\xFF\xFF"s;
  packed.pixels = far;
  take({"a million jumps out of the picture", written(packed)});
  packed.pixels = std::string(2'000'000, '\xFF');
  take({"runs without end", written(packed)});
  BmpFile small = rle8_bmp();
  small.pixels = far;
  take({"a million jumps out of a small picture", written(small)});
  small.pixels = "\0\xFF"s + std::string(300, 'x');
  take({"more pixels than a row has", written(small)});
  BmpFile none = plain_bmp(24);
  none.width = kWidestAllowed;
  none.height = kHighestAllowed;
  take({"a BMP of 50 MP without pixels", written(none), Verdict::undecodable});
  for (const std::uint32_t bits : {1U, 4U, 8U, 16U, 24U, 32U}) {
    for (std::uint32_t compression = 0; compression < 8; ++compression) {
      BmpFile odd = plain_bmp(32);
      odd.bits = bits;
      odd.compression = compression;
      for (const std::int32_t height : {kSeedHeight, -kSeedHeight}) {
        odd.height = height;
        take({fmt::format("{} bits in compression {} of {} rows", bits, compression, height),
              written(odd)});
      }
    }
  }
}

}  // namespace

void make_lying_bmps_and_tiffs(const TakePicture& take) {
  lie_in_fields(plain_tiff(2, 8), "a TIFF in strips", take);
  lie_in_fields(tiled_tiff(true), "a TIFF in tiles", take);
  lie_in_directories(take);
  tiff_bombs(take);
  bmp_bombs(take);
}

}  // namespace framefleet::test
