// BMP and TIFF: what is decoded by the second kind of child is the picture that was written.

#include "tests/support/catch.hpp"
#include "tests/unit/worker/bmp_tiff.hpp"
#include "tests/unit/worker/pictures.hpp"
#include "worker/decoding/exif.hpp"
#include "worker/decoding/tiff_directory.hpp"
#include "worker/imgcodecs/imgcodecs_decoder.hpp"

#include <limits>
#include <map>
#include <string>

namespace framefleet::worker {
namespace {

using test::index_at;

constexpr Planes kBoth{.grey = true, .bgr = true};

Decoder decoder_of_all() {
  ImageLimits limits;
  limits.formats = FormatSet::all();
  return Decoder(limits, decode_by_imgcodecs);
}

/// The pattern of all seeds in BGR.
cv::Mat pattern(std::uint32_t bits, bool coloured, bool inverted) {
  cv::Mat picture(test::kSeedHeight, test::kSeedWidth, CV_8UC3);
  for (int y = 0; y < picture.rows; ++y) {
    for (int x = 0; x < picture.cols; ++x) {
      const auto index = index_at(x, y, bits);
      auto grey = static_cast<std::uint8_t>(bits == 1 ? index * 255 : index);
      if (inverted) grey = static_cast<std::uint8_t>(255 - grey);
      const auto [red, green, blue] = test::colour_of(index);
      picture.at<cv::Vec3b>(y, x) =
          coloured ? cv::Vec3b(blue, green, red) : cv::Vec3b(grey, grey, grey);
    }
  }
  return picture;
}

cv::Mat expected_of(const std::string& name) {
  const bool of_bits = name.starts_with("bits");
  const std::uint32_t bits = of_bits ? 1 : name.starts_with("nibbles") ? 4 : 8;
  const bool grey = name == "bits.tif" || name.find("grey") != std::string::npos ||
                    name.find("is_zero") != std::string::npos;
  return pattern(bits, !grey, name == "white_is_zero.tif");
}

TEST_CASE("BMPs and TIFFs of every kind come out as they were written") {
  Decoder decoder = decoder_of_all();
  for (const auto& seed : test::bmp_tiff_seeds()) {
    INFO(seed.name);
    const auto picture = decoder.decode(test::bytes_of(seed.bytes), kBoth);
    if (!picture) {
      FAIL_CHECK(picture.error().text);
      continue;
    }
    CHECK(test::equal(test::view(picture->bgr), expected_of(seed.name)));
    const auto bytes = test::as_bytes(seed.bytes);
    CHECK(test::equal(test::view(picture->grey), test::reference(bytes, cv::IMREAD_GRAYSCALE)));
    CHECK_FALSE(picture->damaged);
  }
}

TEST_CASE("a TIFF is turned upright by its orientation as a PNG is by its EXIF") {
  Decoder of_tiff = decoder_of_all();
  Decoder of_png;
  const std::string png = [] {
    const auto bytes = test::encode(pattern(8, true, false), ".png");
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }();
  for (std::uint32_t orientation = 1; orientation <= 8; ++orientation) {
    INFO(orientation);
    const auto exif = test::tiff_with_orientation(static_cast<int>(orientation));
    const auto wanted_bytes = png.substr(0, 33) + test::png_chunk("eXIf", exif) + png.substr(33);
    const auto wanted = of_png.decode(test::bytes_of(wanted_bytes), kBoth);
    for (const bool big_endian : {false, true}) {
      const auto tiff = test::plain_tiff(2, 8, big_endian).with({274, 3, {orientation}});
      const auto bytes = test::written(tiff);
      const auto picture = of_tiff.decode(test::bytes_of(bytes), kBoth);
      REQUIRE(picture.has_value());
      CHECK(test::equal(test::view(picture->bgr), test::view(wanted->bgr)));
      CHECK(picture->grey.width == wanted->width);
    }
  }
}

TEST_CASE("without the second kind's decoder a BMP and a TIFF are undecodable, if they get there") {
  ImageLimits limits;
  limits.formats = FormatSet::all();
  for (const auto& bytes :
       {test::written(test::plain_bmp(24)), test::written(test::plain_tiff(1, 8))}) {
    const auto picture = Decoder(limits).decode(test::bytes_of(bytes), kBoth);
    REQUIRE_FALSE(picture.has_value());
    CHECK(picture.error().reason == Reason::undecodable);
  }
}

TEST_CASE("of a TIFF a decoder sees the first page and the tags of its pixels alone") {
  auto tiff = test::plain_tiff(1, 8).with({274, 3, {6}}).with({34665, 4, {8}});
  tiff.next = 8;  // in circles
  const auto bytes = test::written(tiff);
  const auto seen = TiffDirectory::read(ByteView(test::bytes_of(bytes)))->bytes_of_pixels_alone();
  const ByteView view(std::as_bytes(std::span(seen)));
  CHECK(view.le16(8) == 9);  // of 11
  CHECK(view.le32(10 + 9 * 12) == 0);
  CHECK(exif_orientation(view) == 1);
  CHECK(TiffDirectory::read(view)->value_or(tiff_tag::kWidth, 0) == test::kSeedWidth);
}

// What is wrong with each is what the image gate says, before any memory is taken.
TEST_CASE("a TIFF that lies is refused in words") {
  using test::plain_tiff;
  using test::TiffFile;
  using test::written;
  const TiffFile plain = plain_tiff(1, 8);
  const TiffFile tiled = test::tiled_tiff(false);
  const std::string bytes = written(plain);
  TiffFile twice = plain;
  twice.fields.insert(twice.fields.begin(), {256, 3, {4}});
  const auto patched = [&](std::size_t at, const std::string& patch) {
    return std::string(bytes).replace(at, patch.size(), patch);
  };
  const std::map<std::string, std::string> refusals{
      {bytes.substr(0, 7), "TIFF ends before its header"},
      {bytes.substr(0, 9), "TIFF ends before its directory"},
      {bytes.substr(0, 60), "TIFF ends within its directory"},
      {bytes.substr(0, bytes.size() - 1), "TIFF ends before its last pixel"},
      {patched(4, "\xFF\xFF\xFF\xFF"), "TIFF ends before its directory"},
      {patched(8, "\xFF\xFF"), "TIFF has a directory of 65535 entries; the limit is 1000"},
      {written(twice), "TIFF has tag 256 twice"},
      {written(plain.with({256, 12, {4}})), "TIFF has tag 256 of another type than integers"},
      {written(plain.with({256, 4, {0}})),
       "TIFF promises 0 x 37 pixels: there is nothing to decode"},
      {written(plain.with({257, 4, {0x7FFFFFFF}})),
       "TIFF promises 52 x 2147483647 pixels; the limit is 50000000"},
      {written(plain.with({258, 3, {4}})),
       "TIFF of 1 samples with 4 bits and colour model 1 is not supported; 8 and 16 bits in grey "
       "and RGB, 8 in a palette and 1 are"},
      {written(plain.with({258, 3, {8, 8}})), "TIFF has samples of different sizes"},
      {written(plain.with({259, 3, {7}})),
       "TIFF has compression 7; none, LZW, Deflate and PackBits are accepted"},
      {written(plain.with({278, 3, {0}})), "TIFF has strips of no rows"},
      {written(plain.with({278, 3, {1}})), "TIFF needs 37 pieces and has 1 with 1 sizes"},
      {written(plain.with({273, 4, {0xFFFFFFF0}})), "TIFF ends before its last pixel"},
      {written(plain.with({278, 3, {19}}).with({273, 4, {8, 8}}).with({279, 4, {1500, 1500}})),
       "TIFF has pieces that overlap"},
      {written(plain.with({317, 3, {3}})),
       "TIFF has predictor 3 and planar configuration 1; 1 and 2 are accepted"},
      {written(plain.with({339, 3, {3}})), "TIFF has samples that are no unsigned integers"},
      {written(tiled.with({322, 3, {17}})), "TIFF has malformed tiles of 17 x 32"},
      {written(tiled.with({323, 4, {0xFFFFFFF0}}).with({322, 4, {0xFFFFFFF0}}).with({259, 3, {5}})),
       "TIFF has 1 pieces of 4294967280 x 4294967280 pixels; the limit is 100000000 pixels in all"},
      {written(tiled.with({322, 3, {16}}).with({323, 3, {16}})),
       "TIFF has tiles of 16 x 16 without compression, whose bytes are no multiple of 1024"},
  };
  ImageLimits limits;
  limits.formats = FormatSet::all();
  for (const auto& [each, words] : refusals) {
    const auto header = inspect_image(test::bytes_of(each), limits);
    INFO(words);
    CHECK((header ? "accepted" : header.error().text) == words);
  }
}

TEST_CASE("a BMP that lies is refused in words") {
  using test::plain_bmp;
  using test::written;
  const auto with = [](auto&& change) {
    auto bmp = plain_bmp(24);
    change(bmp);
    return written(bmp);
  };
  const std::string bytes = written(plain_bmp(24));
  const auto patched = [&](std::size_t at, const std::string& patch) {
    return std::string(bytes).replace(at, patch.size(), patch);
  };
  const std::map<std::string, std::string> refusals{
      {"BM", "BMP ends before its header"},
      {bytes.substr(0, 53), "BMP ends before its header"},
      {bytes.substr(0, bytes.size() - 1), "BMP ends before its last pixel"},
      {patched(14, "\x10"), "BMP has an unknown header of 16 bytes"},
      {patched(14, "\xFF"), "BMP has an unknown header of 255 bytes"},
      {patched(10, "\x0E"), "BMP has its pixels within its header"},
      {with([](auto& bmp) { bmp.width = 0; }),
       "BMP promises 0 x 37 pixels: there is nothing to decode"},
      {with([](auto& bmp) { bmp.width = -52; }),
       "BMP promises 4294967244 x 37 pixels; the limit is 50000000"},
      {with([](auto& bmp) { bmp.height = std::numeric_limits<std::int32_t>::min(); }),
       "BMP promises 52 x 2147483648 pixels; the limit is 50000000"},
      {with([](auto& bmp) { bmp.bits = 3; }), "BMP of 3 bits with compression 0 is not supported"},
      {with([](auto& bmp) { bmp.compression = 4; }),
       "BMP of 24 bits with compression 4 is not supported"},
      {with([](auto& bmp) { bmp.colours = 257; }), "BMP promises 257 colours"},
  };
  ImageLimits limits;
  limits.formats = FormatSet::all();
  for (const auto& [each, words] : refusals) {
    const auto header = inspect_image(test::bytes_of(each), limits);
    INFO(words);
    CHECK((header ? "accepted" : header.error().text) == words);
  }
}

}  // namespace
}  // namespace framefleet::worker
