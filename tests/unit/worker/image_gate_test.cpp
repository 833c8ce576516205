#include "worker/decoding/image_gate.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/worker/pictures.hpp"

#include <string>

namespace framefleet::worker {
namespace {

using namespace std::string_literals;
using test::as_bytes;

std::string be16(unsigned value) {
  return {static_cast<char>(value >> 8U), static_cast<char>(value)};
}
std::string be32(unsigned value) { return be16(value >> 16U) + be16(value & 0xFFFFU); }
std::string le24(unsigned value) {
  return {static_cast<char>(value), static_cast<char>(value >> 8U),
          static_cast<char>(value >> 16U)};
}

std::string segment(char marker, const std::string& body) {
  return "\xFF"s + marker + be16(static_cast<unsigned>(body.size()) + 2) + body;
}
std::string frame_header(unsigned width, unsigned height, char marker = '\xC0') {
  return segment(marker, "\x08"s + be16(height) + be16(width) + "\1\1\x11\0"s);
}
const std::string kScan = segment('\xDA', "\1\1\0\0\x3F\0"s) + "\x12\x34"s;
const std::string kJpegStart = "\xFF\xD8"s;
const std::string kJpegEnd = "\xFF\xD9"s;

std::string png(unsigned width, unsigned height, const std::string& after_header) {
  return "\x89PNG\r\n\x1A\n"s + be32(13) + "IHDR" + be32(width) + be32(height) + "\x08\2\0\0\0"s +
         "CRC " + after_header;
}
std::string chunk(const std::string& name, const std::string& body) {
  return be32(static_cast<unsigned>(body.size())) + name + body + "CRC ";
}

std::string webp(const std::string& name, const std::string& body) {
  return "RIFF\x40\0\0\0WEBP"s + name + static_cast<char>(body.size()) + "\0\0\0"s + body;
}

Result<ImageHeader, PictureError> inspect(const std::string& bytes, ImageLimits limits = {}) {
  return inspect_image(as_bytes(bytes), limits);
}

void check_refused(const std::string& bytes, Reason reason, const std::string& text,
                   ImageLimits limits = {}) {
  const auto header = inspect(bytes, limits);
  REQUIRE_FALSE(header.has_value());
  CHECK(header.error().reason == reason);
  CHECK(header.error().text == text);
}

TEST_CASE("the gate reads a JPEG's size, components and first orientation") {
  const std::string exif = "Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"s;
  const auto header =
      inspect(kJpegStart + segment('\xE1', exif) + frame_header(640, 480) + kScan + kJpegEnd);
  REQUIRE(header.has_value());
  CHECK(header->format == ImageFormat::jpeg);
  CHECK(header->width == 640);
  CHECK(header->height == 480);
  CHECK(header->channels == 1);
  CHECK(header->orientation == 6);
}

TEST_CASE("the gate refuses a picture without bytes and bytes that are no picture") {
  check_refused("", Reason::empty_picture, "the picture has no bytes");
  check_refused("<html>hello</html>\n", Reason::not_a_picture,
                "text or HTML, not a picture; this worker takes JPEG, PNG, WebP (--formats)");
  check_refused("GIF89a\1\0\1\0"s, Reason::not_a_picture,
                "a GIF; this worker takes JPEG, PNG, WebP (--formats)");
  check_refused(
      "\x01\x02\x03\x04\x05"s, Reason::not_a_picture,
      "unknown format (starts with 01 02 03 04); this worker takes JPEG, PNG, WebP (--formats)");
  check_refused("\0\0\0\x1C"s + "ftypheic", Reason::not_a_picture,
                "a HEIF, AVIF or MP4 file; this worker takes JPEG, PNG, WebP (--formats)");
}

TEST_CASE("a format that is not switched on is refused by its name") {
  for (const auto& [bytes, name] :
       {std::pair{"BM\0\0"s, "a BMP"}, std::pair{"II*\0"s, "a TIFF"}, std::pair{"MM\0*"s, "a TIFF"},
        std::pair{"II+\0"s, "a BigTIFF"}}) {
    check_refused(bytes, Reason::not_a_picture,
                  name + "; this worker takes JPEG, PNG, WebP (--formats)"s);
  }
  ImageLimits limits;
  limits.formats = {ImageFormat::jpeg, ImageFormat::tiff};
  check_refused(png(8, 8, ""), Reason::not_a_picture,
                "a PNG; this worker takes JPEG, TIFF (--formats)", limits);
}

TEST_CASE("the gate refuses more pixels, a longer side or more bytes than the limits") {
  check_refused(png(60000, 60000, ""), Reason::too_large_picture,
                "PNG promises 60000 x 60000 pixels; the limit is 50000000");
  check_refused(png(20001, 1, ""), Reason::too_large_picture,
                "PNG promises 20001 x 1 pixels; the limit is 20000 on a side");
  check_refused(kJpegStart + frame_header(65535, 65535), Reason::too_large_picture,
                "JPEG promises 65535 x 65535 pixels; the limit is 50000000");
  check_refused(webp("VP8X", "\0\0\0\0"s + le24(16'000'000) + le24(16'000'000)),
                Reason::too_large_picture,
                "WebP promises 16000001 x 16000001 pixels; the limit is 50000000");
  ImageLimits small;
  small.bytes_max = 10;
  check_refused("0123456789a", Reason::too_large_picture,
                "the picture has 11 bytes; the limit is 10", small);
}

TEST_CASE("a size at the limit passes the gate") {
  ImageLimits limits;
  limits.pixels_max = 100;
  limits.side_max = 100;
  CHECK(inspect(png(100, 1, chunk("IDAT", "x")), limits).has_value());
  CHECK_FALSE(inspect(png(101, 1, chunk("IDAT", "x")), limits).has_value());
}

TEST_CASE("the gate counts a JPEG's scans, wherever they stand") {
  std::string many = kJpegStart + frame_header(8, 8, '\xC2');
  for (int i = 0; i < 100; ++i) many += kScan;
  CHECK(inspect(many + kJpegEnd).has_value());
  check_refused(many + kScan + kJpegEnd, Reason::too_large_picture,
                "JPEG has more than 100 scans, the limit");
  // What stands behind the end of the picture (a second one in an MPO) is not part of it.
  CHECK(inspect(many + kJpegEnd + kScan).has_value());
}

TEST_CASE("stuffed zeros and restart markers in a scan are not markers to the gate") {
  const std::string data = "\xFF\0\xFF\xD0\xFF\0\xDA\xFF\xFF\0"s;
  CHECK(inspect(kJpegStart + frame_header(8, 8) + kScan + data + kJpegEnd).has_value());
}

TEST_CASE("a JPEG that ends before its frame, its scan or its first pixel is undecodable") {
  check_refused("\xFF\xD8\xFF"s, Reason::undecodable, "JPEG ends before its frame header");
  check_refused(kJpegStart + segment('\xE0', "JFIF\0"s), Reason::undecodable,
                "JPEG ends before its frame header");
  check_refused(kJpegStart + frame_header(8, 8), Reason::undecodable,
                "JPEG ends before its pixels");
  check_refused(kJpegStart + frame_header(8, 8) + segment('\xDA', "\1\1\0\0\x3F\0"s),
                Reason::undecodable, "JPEG ends before its pixels");
  check_refused(kJpegStart + frame_header(8, 8) + segment('\xDA', "\1\1\0\0\x3F\0"s) + kJpegEnd,
                Reason::undecodable, "JPEG ends before its pixels");
  check_refused(kJpegStart + frame_header(0, 8) + kScan, Reason::undecodable,
                "JPEG promises 0 x 8 pixels: there is nothing to decode");
  check_refused(kJpegStart + "\xFF\xC0\0\1"s, Reason::undecodable, "JPEG segment c0 is malformed");
}

TEST_CASE("a PNG must begin with its header and reach its pixels within the cap on chunks") {
  check_refused("\x89PNG\r\n\x1A\n"s, Reason::undecodable, "PNG ends before its header");
  check_refused("\x89PNG\r\n\x1A\n"s + chunk("tEXt", std::string(20, 'x')), Reason::undecodable,
                "PNG does not start with its header");
  check_refused(png(8, 8, ""), Reason::undecodable, "PNG ends before its pixels");
  check_refused(png(8, 8, be32(0xFFFFFFFF) + "tEXt" + "1234"), Reason::undecodable,
                "PNG ends before its pixels");
  std::string chunks;
  for (int i = 0; i < 1001; ++i) chunks += chunk("tEXt", "");
  check_refused(png(8, 8, chunks + chunk("IDAT", "x")), Reason::too_large_picture,
                "PNG has more than 1000 chunks before its pixels");
}

TEST_CASE("a WebP's three headers are read, and an animation is refused") {
  const auto lossy = inspect(webp("VP8 ", "\0\0\0\x9D\1\x2A\x80\x02\xE0\x01"s));
  REQUIRE(lossy.has_value());
  CHECK(lossy->width == 640);
  CHECK(lossy->height == 480);
  const auto lossless = inspect(webp("VP8L", "\x2F\x7F\x02\0\x10"s));
  REQUIRE(lossless.has_value());
  CHECK(lossless->width == 640);
  CHECK(lossless->height == 1);
  CHECK(lossless->channels == 4);
  const std::string size = le24(639) + le24(479);
  const std::string frame = "VP8 \x0A\0\0\0\0\0\0\x9D\1\x2A\x80\x02\xE0\x01"s;
  const auto extended = inspect(webp("VP8X", "\x10\0\0\0"s + size) + frame);
  REQUIRE(extended.has_value());
  CHECK(extended->width == 640);
  CHECK(extended->channels == 4);
  check_refused(webp("VP8X", "\x02\0\0\0"s + size), Reason::undecodable,
                "animated WebP; only still pictures are accepted");
  check_refused(webp("VP8 ", "\0\0"s), Reason::undecodable,
                "WebP ends before its header, or its header is malformed");
}

TEST_CASE("the gate counts what a JPEG's scans go over, each component of a scan") {
  const auto scans_of = [](unsigned width, int scans) {
    std::string bytes = kJpegStart + frame_header(width, 5000, '\xC2');
    for (int i = 0; i < scans; ++i) bytes += segment('\xDA', "\2\1\0\2\0\0\0\0"s) + "\x12"s;
    return bytes + kJpegEnd;
  };
  CHECK(inspect(scans_of(10'000, 7)).has_value());
  CHECK(inspect(scans_of(1'000, 75)).has_value());
  check_refused(scans_of(10'000, 8), Reason::too_large_picture,
                "JPEG goes over 10000 x 5000 pixels in 8 scans or more; the limit is 750000000 "
                "pixels, each component of a scan counted");
}

TEST_CASE("only Huffman-coded baseline and progressive JPEGs pass the gate") {
  for (const char coding : {'\xC0', '\xC1', '\xC2'}) {
    CHECK(inspect(kJpegStart + frame_header(8, 8, coding) + kScan + kJpegEnd).has_value());
  }
  check_refused(
      kJpegStart + frame_header(8, 8, '\xC9') + kScan + kJpegEnd, Reason::undecodable,
      "JPEG has a frame of coding c9 (arithmetic, lossless or hierarchical); baseline and "
      "progressive are accepted");
}

TEST_CASE("an extended WebP needs one frame as large as its canvas, within the cap on chunks") {
  const std::string canvas = webp("VP8X", "\0\0\0\0"s + le24(639) + le24(479));
  const std::string frame = "VP8 \x0A\0\0\0\0\0\0\x9D\1\x2A\x80\x02\xE0\x01"s;
  const std::string wider = "VP8 \x0A\0\0\0\0\0\0\x9D\1\x2A\x81\x02\xE0\x01"s;
  const std::string junk = "JUNK\0\0\0\0"s;
  CHECK(inspect(canvas + frame).has_value());
  check_refused(canvas, Reason::undecodable, "WebP ends before its pixels");
  check_refused(canvas + wider, Reason::undecodable,
                "WebP promises 640 x 480 pixels and has a frame of 641 x 480");
  check_refused(canvas + "VP8 \1\0\0\0x\0"s, Reason::undecodable, "WebP: its frame is malformed");
  check_refused(canvas + "ANMF\0\0\0\0"s + frame, Reason::undecodable,
                "animated WebP; only still pictures are accepted");
  ImageLimits limits;
  limits.chunks_max = 3;
  CHECK(inspect(canvas + junk + frame, limits).has_value());
  check_refused(canvas + junk + junk + frame, Reason::too_large_picture,
                "WebP has more than 3 chunks", limits);
}

TEST_CASE("no prefix of a sound picture gets past the gate with more than it has") {
  const cv::Mat picture(40, 30, CV_8UC3, cv::Scalar(10, 200, 90));
  for (const char* extension : {".jpg", ".png", ".webp"}) {
    const auto whole = test::encode(picture, extension);
    for (std::size_t length = 0; length <= whole.size(); ++length) {
      const auto header = inspect_image(std::span(whole).first(length), {});
      if (!header) continue;
      CHECK(header->width == 30);
      CHECK(header->height == 40);
    }
    CHECK(inspect_image(whole, {}).has_value());
  }
}

}  // namespace
}  // namespace framefleet::worker
