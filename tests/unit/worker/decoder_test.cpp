#include "worker/decoding/decoder.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/worker/picture_seeds.hpp"
#include "tests/unit/worker/pictures.hpp"
#include "worker/decoding/encoder.hpp"

#include <opencv2/imgproc.hpp>

#include <array>
#include <random>
#include <string>

namespace framefleet::worker {
namespace {

using namespace std::string_literals;
using test::Bytes;

constexpr Planes kBoth{.grey = true, .bgr = true};

/// A picture without symmetry: noise under a gradient, darker towards one corner.
cv::Mat lopsided(int width, int height, int type = CV_8UC3) {
  cv::Mat picture(height, width, type);
  cv::RNG random(7);
  random.fill(picture, cv::RNG::UNIFORM, 0, type == CV_16UC3 ? 65536 : 256);
  cv::blur(picture, picture, {5, 5});
  picture(cv::Rect(0, 0, width / 3, height / 4)).setTo(cv::Scalar::all(20));
  return picture;
}

void check_equals_imread(Decoder& decoder, const Bytes& bytes) {
  const auto picture = decoder.decode(bytes, kBoth);
  REQUIRE(picture.has_value());
  CHECK_FALSE(picture->damaged);
  CHECK(test::equal(test::view(picture->grey), test::reference(bytes, cv::IMREAD_GRAYSCALE)));
  CHECK(test::equal(test::view(picture->bgr), test::reference(bytes, cv::IMREAD_COLOR)));
  CHECK(picture->width == picture->grey.width);
  CHECK(picture->height == picture->bgr.height);
}

TEST_CASE("grey and colour equal cv::imread, bit for bit, on every photo") {
  if (!test::have_test_data("decoder")) return;
  Decoder decoder;
  for (const char* folder : {"data/photos", "data/seq"}) {
    for (const auto& path : test::files_in(test::test_data(folder))) {
      INFO(path);
      check_equals_imread(decoder, test::read_bytes(path));
    }
  }
}

TEST_CASE("pictures of every kind that OpenCV writes equal cv::imread") {
  Decoder decoder;
  const cv::Mat colour = lopsided(97, 61);
  cv::Mat grey;
  cv::cvtColor(colour, grey, cv::COLOR_BGR2GRAY);
  cv::Mat alpha;
  cv::cvtColor(colour, alpha, cv::COLOR_BGR2BGRA);
  alpha.col(5).setTo(cv::Scalar(1, 2, 3, 0));
  const cv::Mat deep = lopsided(97, 61, CV_16UC3);
  check_equals_imread(decoder, test::encode(colour, ".png"));
  check_equals_imread(decoder, test::encode(grey, ".png"));
  check_equals_imread(decoder, test::encode(grey, ".png", {cv::IMWRITE_PNG_BILEVEL, 1}));
  check_equals_imread(decoder, test::encode(alpha, ".png"));
  check_equals_imread(decoder, test::encode(deep, ".png"));
  check_equals_imread(decoder, test::encode(colour, ".webp", {cv::IMWRITE_WEBP_QUALITY, 80}));
  check_equals_imread(decoder, test::encode(alpha, ".webp", {cv::IMWRITE_WEBP_QUALITY, 101}));
  check_equals_imread(decoder, test::encode(colour, ".jpg"));
  check_equals_imread(decoder, test::encode(grey, ".jpg"));
  check_equals_imread(decoder, test::encode(colour, ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1}));
  check_equals_imread(decoder, test::encode(colour, ".jpg", {cv::IMWRITE_JPEG_RST_INTERVAL, 2}));
}

TEST_CASE("seeds of every kind, CMYK, palette and interlaced among them, equal cv::imread") {
  Decoder decoder;
  for (const auto& seed : test::picture_seeds()) {
    if (seed.name == "extended.webp")
      continue;  // Its EXIF turns it; imread looks into JPEGs alone.
    INFO(seed.name);
    check_equals_imread(decoder, test::as_bytes(seed.bytes));
  }
}

TEST_CASE("the pixels of the next picture lie where those of the last one lay") {
  Decoder decoder;
  for (const auto& seed : test::picture_seeds()) {
    INFO(seed.name);
    const auto large = test::encode(lopsided(300, 200), ".jpg");
    const auto first = decoder.decode(large, kBoth);
    const auto second = decoder.decode(test::as_bytes(seed.bytes), kBoth);
    const auto third = decoder.decode(large, kBoth);
    REQUIRE((first.has_value() && second.has_value() && third.has_value()));
    CHECK(second->grey.pixels == first->grey.pixels);
    CHECK(second->bgr.pixels == first->bgr.pixels);
    CHECK(third->bgr.pixels == first->bgr.pixels);
  }
}

std::string tiff_with(int orientation) {
  return "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0"s + static_cast<char>(orientation) +
         "\0\0\0\0\0\0"s;
}

Bytes insert(const Bytes& whole, std::size_t at, const std::string& text) {
  Bytes bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(at));
  const auto added = test::as_bytes(text);
  bytes.insert(bytes.end(), added.begin(), added.end());
  bytes.insert(bytes.end(), whole.begin() + static_cast<std::ptrdiff_t>(at), whole.end());
  return bytes;
}

/// `stored` must be what turns upright into `upright` under this orientation.
cv::Mat upright(const cv::Mat& stored, int orientation) {
  cv::Mat turned = stored.clone();
  if (orientation >= 5) cv::transpose(turned, turned);
  constexpr std::array<int, 9> kFlips{2, 2, 1, -1, 0, 2, 1, -1, 0};
  const int flip = kFlips.at(static_cast<std::size_t>(orientation));
  if (flip != 2) cv::flip(turned, turned, flip);
  return turned;
}

TEST_CASE("each EXIF orientation turns a JPEG as cv::imread does") {
  Decoder decoder;
  const auto plain = test::encode(lopsided(64, 48), ".jpg");
  for (int orientation = 1; orientation <= 8; ++orientation) {
    INFO(orientation);
    const std::string exif = "Exif\0\0"s + tiff_with(orientation);
    const auto bytes = insert(plain, 2, "\xFF\xE1\0"s + static_cast<char>(exif.size() + 2) + exif);
    check_equals_imread(decoder, bytes);
    const auto picture = decoder.decode(bytes, kBoth);
    CHECK(picture->width == (orientation >= 5 ? 48 : 64));
    CHECK(test::equal(test::view(picture->bgr),
                      upright(test::reference(plain, cv::IMREAD_COLOR), orientation)));
  }
}

TEST_CASE("the orientation in a PNG's eXIf chunk is applied") {
  Decoder decoder;
  const cv::Mat stored = lopsided(32, 20);
  const auto plain = test::encode(stored, ".png");
  for (int orientation = 1; orientation <= 8; ++orientation) {
    INFO(orientation);
    const std::string tiff = tiff_with(orientation);
    // A wrong checksum on a chunk that is not needed costs nothing: libpng steps over it.
    const std::string chunk = "\0\0\0"s + static_cast<char>(tiff.size()) + "eXIf" + tiff + "CRC ";
    const auto picture = decoder.decode(insert(plain, 33, chunk), kBoth);
    REQUIRE(picture.has_value());
    CHECK(test::equal(test::view(picture->bgr), upright(stored, orientation)));
  }
}

TEST_CASE("photos whose EXIF says how they were held come out upright") {
  if (!test::have_test_data("EXIF")) return;
  Decoder decoder;
  for (const auto& path : test::files_in(test::test_data("data/exif"))) {
    INFO(path);
    const auto bytes = test::read_bytes(path);
    const auto picture = decoder.decode(bytes, kBoth);
    REQUIRE(picture.has_value());
    CHECK(picture->width == 1800);
    CHECK(picture->height == 1200);
    check_equals_imread(decoder, bytes);
  }
}

TEST_CASE("a JPEG cut anywhere in its pixels is decoded and called damaged, the whole one is not") {
  Decoder decoder;
  const auto whole = test::encode(lopsided(160, 120), ".jpg");
  REQUIRE(decoder.decode(whole, {})->damaged == false);
  for (const std::size_t percent : {50U, 75U, 95U}) {
    INFO(percent);
    const auto picture =
        decoder.decode(std::span(whole).first(whole.size() * percent / 100), kBoth);
    REQUIRE(picture.has_value());
    CHECK(picture->damaged);
    CHECK(picture->height == 120);
    // What was there is right: the first row of blocks.
    const cv::Rect top(0, 0, 160, 8);
    CHECK(
        test::equal(test::view(picture->bgr)(top), test::reference(whole, cv::IMREAD_COLOR)(top)));
  }
}

TEST_CASE("a PNG or WebP that is cut or bent is undecodable, and the next picture is unharmed") {
  Decoder decoder;
  const cv::Mat colour = lopsided(120, 90);
  for (const char* extension : {".png", ".webp"}) {
    INFO(extension);
    const auto whole = test::encode(colour, extension, {cv::IMWRITE_WEBP_QUALITY, 80});
    const auto half = decoder.decode(std::span(whole).first(whole.size() / 2), kBoth);
    REQUIRE_FALSE(half.has_value());
    CHECK(half.error().reason == Reason::undecodable);
    check_equals_imread(decoder, whole);
  }
  auto bent = test::encode(colour, ".png");
  bent[bent.size() / 2] ^= std::byte{0x55};
  const auto refused = decoder.decode(bent, kBoth);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().text.starts_with("PNG: "));
}

TEST_CASE("only the planes that are asked for are there") {
  Decoder decoder;
  const auto bytes = test::encode(lopsided(20, 10), ".jpg");
  const auto grey = decoder.decode(bytes, {.grey = true, .bgr = false});
  CHECK(grey->grey);
  CHECK_FALSE(grey->bgr);
  const auto colour = decoder.decode(bytes, {.grey = false, .bgr = true});
  CHECK_FALSE(colour->grey);
  CHECK(colour->bgr);
}

TEST_CASE("bytes bent at random never break the decoder") {
  Decoder decoder;
  std::mt19937 random(20);
  std::vector<Bytes> seeds;
  for (const char* extension : {".jpg", ".png", ".webp"}) {
    seeds.push_back(test::encode(lopsided(64, 64), extension));
  }
  seeds.push_back(test::encode(lopsided(64, 64), ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1}));
  std::size_t decoded = 0;
  for (int round = 0; round < 2000; ++round) {
    Bytes bytes = seeds[static_cast<std::size_t>(round) % seeds.size()];
    for (int change = 0; change < 4; ++change) {
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    }
    if (round % 3 == 0) bytes.resize(random() % bytes.size());
    const auto picture = decoder.decode(bytes, kBoth);
    if (picture) {
      ++decoded;
    } else {
      REQUIRE_FALSE(picture.error().text.empty());
    }
  }
  CHECK(decoded > 100);
}

TEST_CASE("an encoded picture decodes to nearly itself, in colour and in grey") {
  JpegEncoder encoder;
  cv::Mat smooth = lopsided(90, 70);
  cv::GaussianBlur(smooth, smooth, {9, 9}, 0);
  const Plane plane{smooth.data, smooth.cols, smooth.rows, 3, smooth.step};
  const auto jpeg = encoder.encode(plane, 95);
  REQUIRE(jpeg.has_value());
  const cv::Mat back = test::reference(test::as_bytes(*jpeg), cv::IMREAD_COLOR);
  CHECK(cv::norm(back, smooth, cv::NORM_L1) / static_cast<double>(back.total() * 3) < 8);

  const cv::Mat dark(30, 40, CV_8UC1, cv::Scalar(77));
  const auto grey = encoder.encode({dark.data, 40, 30, 1, dark.step}, 95);
  REQUIRE(grey.has_value());
  CHECK(test::equal(test::reference(test::as_bytes(*grey), cv::IMREAD_GRAYSCALE), dark));
}

}  // namespace
}  // namespace framefleet::worker
