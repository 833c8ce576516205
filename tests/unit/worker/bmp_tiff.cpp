#include "tests/unit/worker/bmp_tiff.hpp"

#include "tests/unit/worker/pictures.hpp"

#include <opencv2/core.hpp>

#include <algorithm>

namespace framefleet::test {
namespace {

using namespace std::string_literals;

std::string le16(std::uint32_t value) { return le32(value).substr(0, 2); }

std::string as_written(std::uint32_t value, std::size_t size, bool big_endian) {
  if (size == 1) return std::string(1, static_cast<char>(value));
  if (size == 2) return big_endian ? be16(value) : le16(value);
  return big_endian ? be32(value) : le32(value);
}

std::string packed_row(int y, std::uint32_t bits) {
  std::string row;
  unsigned byte = 0;
  std::uint32_t filled = 0;
  for (int x = 0; x < kSeedWidth; ++x) {
    byte = byte << bits | index_at(x, y, bits);
    filled += bits;
    if (filled == 8 || x == kSeedWidth - 1) {
      row += static_cast<char>(byte << (8 - filled));
      byte = 0;
      filled = 0;
    }
  }
  return row;
}

std::string encoded(const cv::Mat& picture, const std::string& extension,
                    const std::vector<int>& parameters = {}) {
  const Bytes bytes = encode(picture, extension, parameters);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

cv::Mat pattern(int channels) {
  cv::Mat picture(kSeedHeight, kSeedWidth, CV_8UC(channels));
  for (int y = 0; y < kSeedHeight; ++y) {
    for (int x = 0; x < kSeedWidth; ++x) {
      const auto index = index_at(x, y, 8);
      const auto [red, green, blue] = colour_of(index);
      auto* pixel = picture.ptr(y, x);
      pixel[0] = channels == 1 ? static_cast<std::uint8_t>(index) : blue;
      if (channels == 1) continue;
      pixel[1] = green;
      pixel[2] = red;
      if (channels == 4) pixel[3] = static_cast<std::uint8_t>(x);
    }
  }
  return picture;
}

}  // namespace

std::uint32_t index_at(int x, int y, std::uint32_t bits) {
  return static_cast<std::uint32_t>(x + 3 * y) % (1U << std::min(bits, 8U));
}

std::array<std::uint8_t, 3> colour_of(std::uint32_t index) {
  return {static_cast<std::uint8_t>(index), static_cast<std::uint8_t>(255 - index),
          static_cast<std::uint8_t>(index * 7)};
}

std::string written(const BmpFile& bmp) {
  std::string palette;
  for (std::uint32_t i = 0; bmp.bits <= 8 && i < (1U << bmp.bits); ++i) {
    const auto [red, green, blue] = colour_of(i);
    for (const auto part : {blue, green, red}) palette += static_cast<char>(part);
    if (!bmp.old_header) palette += '\0';
  }
  const auto width = static_cast<std::uint32_t>(bmp.width);
  const auto height = static_cast<std::uint32_t>(bmp.height);
  const auto size = static_cast<std::uint32_t>(bmp.pixels.size());
  const std::string info = bmp.old_header
                               ? le32(12) + le16(width) + le16(height) + le16(1) + le16(bmp.bits)
                               : le32(40) + le32(width) + le32(height) + le16(1) + le16(bmp.bits) +
                                     le32(bmp.compression) + le32(size) + le32(2835) + le32(2835) +
                                     le32(bmp.colours) + le32(0);
  const auto pixels_at = static_cast<std::uint32_t>(14 + info.size() + palette.size());
  return "BM" + le32(pixels_at + size) + le32(0) + le32(pixels_at) + info + palette + bmp.pixels;
}

BmpFile plain_bmp(std::uint32_t bits) {
  BmpFile bmp;
  bmp.bits = bits;
  for (int y = kSeedHeight - 1; y >= 0; --y) {
    std::string row = bits <= 8 ? packed_row(y, bits) : "";
    for (int x = 0; bits > 8 && x < kSeedWidth; ++x) {
      const auto [red, green, blue] = colour_of(index_at(x, y, 8));
      for (const auto part : {blue, green, red}) row += static_cast<char>(part);
      if (bits == 32) row += static_cast<char>(x);
    }
    row.resize((row.size() + 3) / 4 * 4);
    bmp.pixels += row;
  }
  return bmp;
}

BmpFile rle8_bmp() {
  BmpFile bmp;
  bmp.bits = 8;
  bmp.compression = 1;
  for (int y = kSeedHeight - 1; y >= 0; --y) {
    const std::string row = packed_row(y, 8);
    bmp.pixels += "\0\x1A"s + row.substr(0, 26);  // As they are, then in runs of one.
    for (const char value : row.substr(26)) bmp.pixels += "\1"s + value;
    bmp.pixels += "\0\0"s;
  }
  bmp.pixels += "\0\1"s;
  return bmp;
}

TiffFile TiffFile::with(TiffField field) const {
  TiffFile changed = *this;
  auto& all = changed.fields;
  all.erase(std::remove_if(all.begin(), all.end(),
                           [&](const TiffField& each) { return each.tag == field.tag; }),
            all.end());
  const auto behind = std::find_if(all.begin(), all.end(),
                                   [&](const TiffField& each) { return each.tag > field.tag; });
  all.insert(behind, std::move(field));
  return changed;
}

std::string written(const TiffFile& tiff) {
  const auto number = [&](std::uint32_t value, std::size_t size) {
    return as_written(value, size, tiff.big_endian);
  };
  const std::uint32_t offsets_tag = tiff.tiled ? 324 : 273;
  std::vector<std::uint32_t> sizes;
  for (const auto& piece : tiff.pieces) sizes.push_back(static_cast<std::uint32_t>(piece.size()));
  TiffFile whole = tiff;
  const auto given = [&](std::uint32_t tag) {
    const auto same = [tag](const TiffField& each) { return each.tag == tag; };
    return std::any_of(tiff.fields.begin(), tiff.fields.end(), same);
  };
  const std::uint32_t sizes_tag = tiff.tiled ? 325 : 279;
  if (!given(sizes_tag)) whole = whole.with({sizes_tag, 4, sizes});
  if (!given(offsets_tag)) {
    whole = whole.with({offsets_tag, 4, std::vector<std::uint32_t>(sizes.size())});
  }

  std::size_t outside_at = 8 + 2 + whole.fields.size() * 12 + 4;
  std::size_t pieces_at = outside_at;
  for (const auto& field : whole.fields) {
    const std::size_t bytes = field.values.size() * (field.type == 3 ? 2 : 4);
    if (bytes > 4) pieces_at += bytes;
  }
  for (auto& field : whole.fields) {
    if (field.tag != offsets_tag || given(offsets_tag)) continue;
    std::size_t at = pieces_at;
    for (std::size_t i = 0; i < sizes.size() && i < field.values.size(); at += sizes[i++]) {
      field.values[i] = static_cast<std::uint32_t>(at);
    }
  }
  std::string directory = number(static_cast<std::uint32_t>(whole.fields.size()), 2);
  std::string outside;
  for (const auto& field : whole.fields) {
    std::string values;
    for (const auto value : field.values) values += number(value, field.type == 3 ? 2 : 4);
    directory += number(field.tag, 2) + number(field.type, 2) +
                 number(static_cast<std::uint32_t>(field.values.size()), 4);
    if (values.size() <= 4) {
      values.resize(4);
      directory += values;
    } else {
      directory += number(static_cast<std::uint32_t>(outside_at + outside.size()), 4);
      outside += values;
    }
  }
  std::string bytes = (tiff.big_endian ? "MM\0*"s : "II*\0"s) + number(8, 4) + directory +
                      number(tiff.next, 4) + outside;
  for (const auto& piece : tiff.pieces) bytes += piece;
  return bytes;
}

TiffFile plain_tiff(std::uint32_t photometric, std::uint32_t bits, bool big_endian) {
  TiffFile tiff;
  tiff.big_endian = big_endian;
  const bool rgb = photometric == 2;
  const std::uint32_t samples = rgb ? 3 : 1;
  tiff.fields = {{256, 3, {kSeedWidth}},
                 {257, 3, {kSeedHeight}},
                 {258, 3, std::vector<std::uint32_t>(samples, bits)},
                 {259, 3, {1}},
                 {262, 3, {photometric}},
                 {277, 3, {samples}},
                 {278, 3, {kSeedHeight}}};
  std::string strip;
  for (int y = 0; y < kSeedHeight; ++y) {
    if (!rgb && bits <= 8) strip += packed_row(y, bits);
    for (int x = 0; (rgb || bits == 16) && x < kSeedWidth; ++x) {
      const auto index = index_at(x, y, 8);
      for (const auto part : colour_of(index)) {
        const std::uint32_t value = rgb ? part : index;
        strip += as_written(bits == 16 ? value * 257 : value, bits / 8, big_endian);
        if (!rgb) break;
      }
    }
  }
  tiff.pieces = {strip};
  if (photometric != 3) return tiff;
  TiffField map{320, 3, {}};
  for (std::size_t part = 0; part < 3; ++part) {
    for (std::uint32_t i = 0; i < 256; ++i) map.values.push_back(colour_of(i)[part] * 257U);
  }
  return tiff.with(map);
}

TiffFile tiled_tiff(bool big_endian) {
  constexpr int kSide = 32;
  TiffFile tiff = plain_tiff(2, 8, big_endian).with({322, 3, {kSide}}).with({323, 3, {kSide}});
  tiff.fields.erase(std::find_if(tiff.fields.begin(), tiff.fields.end(),
                                 [](const TiffField& field) { return field.tag == 278; }));
  tiff.tiled = true;
  tiff.pieces.clear();
  for (int top = 0; top < kSeedHeight; top += kSide) {
    for (int left = 0; left < kSeedWidth; left += kSide) {
      std::string tile;
      for (int i = 0; i < kSide * kSide; ++i) {
        const auto index = index_at(left + i % kSide, top + i / kSide, 8);
        for (const auto part : colour_of(index)) tile += static_cast<char>(part);
      }
      tiff.pieces.push_back(tile);
    }
  }
  return tiff;
}

TiffFile planar_tiff() {
  TiffFile tiff = plain_tiff(2, 8).with({284, 3, {2}});
  tiff.pieces.clear();
  for (std::size_t part = 0; part < 3; ++part) {
    std::string strip;
    for (int i = 0; i < kSeedWidth * kSeedHeight; ++i) {
      const auto index = index_at(i % kSeedWidth, i / kSeedWidth, 8);
      strip += static_cast<char>(colour_of(index)[part]);
    }
    tiff.pieces.push_back(strip);
  }
  return tiff;
}

std::vector<Seed> bmp_tiff_seeds() {
  const cv::Mat colour = pattern(3);
  const cv::Mat alpha = pattern(4);
  const auto tiff = [](const cv::Mat& picture, int compression) {
    return encoded(picture, ".tiff", {cv::IMWRITE_TIFF_COMPRESSION, compression});
  };
  BmpFile top_down = plain_bmp(24);
  top_down.height = -top_down.height;
  std::string rows;
  for (std::size_t y = 0; y < kSeedHeight; ++y) {
    rows += top_down.pixels.substr((kSeedHeight - 1 - y) * kSeedWidth * 3, kSeedWidth * 3);
  }
  top_down.pixels = rows;
  BmpFile old = plain_bmp(8);
  old.old_header = true;
  constexpr auto kBmp = SeedFormat::bmp;
  constexpr auto kTiff = SeedFormat::tiff;
  return {
      {"colour.bmp", kBmp, encoded(colour, ".bmp")},
      {"alpha.bmp", kBmp, encoded(alpha, ".bmp")},
      {"plain.bmp", kBmp, written(plain_bmp(24))},
      {"wide.bmp", kBmp, written(plain_bmp(32))},
      {"palette.bmp", kBmp, written(plain_bmp(8))},
      {"old.bmp", kBmp, written(old)},
      {"nibbles.bmp", kBmp, written(plain_bmp(4))},
      {"bits.bmp", kBmp, written(plain_bmp(1))},
      {"top_down.bmp", kBmp, written(top_down)},
      {"packed.bmp", kBmp, written(rle8_bmp())},
      {"grey.tif", kTiff, encoded(pattern(1), ".tiff")},
      {"lzw.tif", kTiff, tiff(colour, 5)},
      {"deflate.tif", kTiff, tiff(colour, 8)},
      {"old_deflate.tif", kTiff, tiff(colour, 32946)},
      {"packbits.tif", kTiff, tiff(colour, 32773)},
      {"alpha.tif", kTiff, tiff(alpha, 5)},
      {"rgb.tif", kTiff, written(plain_tiff(2, 8, true))},
      {"deep.tif", kTiff, written(plain_tiff(2, 16, true))},
      {"deep_grey.tif", kTiff, written(plain_tiff(1, 16))},
      {"palette.tif", kTiff, written(plain_tiff(3, 8))},
      {"black_is_zero.tif", kTiff, written(plain_tiff(1, 8))},
      {"white_is_zero.tif", kTiff, written(plain_tiff(0, 8))},
      {"bits.tif", kTiff, written(plain_tiff(1, 1))},
      {"planar.tif", kTiff, written(planar_tiff())},
      {"tiled.tif", kTiff, written(tiled_tiff(false))},
      {"tiled_big.tif", kTiff, written(tiled_tiff(true))},
  };
}

}  // namespace framefleet::test
