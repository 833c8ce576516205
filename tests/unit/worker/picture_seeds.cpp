#include "tests/unit/worker/picture_seeds.hpp"

#include "tests/unit/worker/pictures.hpp"

#include "shared/base/assert.hpp"

#include <opencv2/imgproc.hpp>
#include <turbojpeg.h>
#include <zlib.h>

#include <array>

namespace framefleet::test {
namespace {

using namespace std::string_literals;

std::uint32_t number(const std::string& bytes, std::size_t at, std::size_t count, bool big) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value = (value << 8U) | static_cast<std::uint8_t>(bytes[big ? at + i : at + count - 1 - i]);
  }
  return value;
}

std::string little(std::uint32_t value, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i, value >>= 8U) text += static_cast<char>(value);
  return text;
}

/// Edges, a gradient and noise: something in every block.
cv::Mat motif(int type) {
  cv::Mat picture(kSeedHeight, kSeedWidth, type);
  cv::RNG random(11);
  random.fill(picture, cv::RNG::UNIFORM, 0, CV_MAT_DEPTH(type) == CV_16U ? 65536 : 256);
  cv::blur(picture, picture, {3, 3});
  picture(cv::Rect(5, 4, 17, 12)).setTo(cv::Scalar(200, 30, 90, 128));
  return picture;
}

std::string written(const cv::Mat& picture, const std::string& extension,
                    const std::vector<int>& parameters = {}) {
  const Bytes bytes = encode(picture, extension, parameters);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string with_exif(const std::string& jpeg) {
  return jpeg.substr(0, 2) + jpeg_segment(0xE1, "Exif\0\0"s + tiff_with_orientation(6)) +
         jpeg.substr(2);
}

std::string palette_png() {
  std::string rows;
  for (int y = 0; y < kSeedHeight; ++y) rows += '\0' + std::string(kSeedWidth, y % 2 ? '\1' : '\0');
  std::string packed(rows.size() + 100, '\0');
  auto size = static_cast<uLongf>(packed.size());
  FRAMEFLEET_ASSERT(compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                             reinterpret_cast<const Bytef*>(rows.data()), rows.size()) == Z_OK);
  packed.resize(size);
  return png_header(kSeedWidth, kSeedHeight, 8, 3, false) +
         png_chunk("PLTE", "\x10\x80\xF0\xF0\x20\x40"s) + png_chunk("tRNS", "\x80\xFF"s) +
         png_chunk("IDAT", packed) + png_chunk("IEND", "");
}

std::string interlaced_png() {
  constexpr std::array<std::array<int, 4>, 7> passes{{{0, 0, 8, 8},
                                                      {4, 0, 8, 8},
                                                      {0, 4, 4, 8},
                                                      {2, 0, 4, 4},
                                                      {0, 2, 2, 4},
                                                      {1, 0, 2, 2},
                                                      {0, 1, 1, 2}}};
  std::uint64_t bytes = 0;
  for (const auto& [x, y, dx, dy] : passes) {
    const int columns = (kSeedWidth - x + dx - 1) / dx;
    const int rows = (kSeedHeight - y + dy - 1) / dy;
    bytes += static_cast<std::uint64_t>(rows) * (1 + static_cast<std::uint64_t>(columns) * 3);
  }
  return png_header(kSeedWidth, kSeedHeight, 8, 2, true) +
         png_chunk("IDAT", deflated_zeros(bytes)) + png_chunk("IEND", "");
}

std::string extended_webp() {
  const std::string plain = written(motif(CV_8UC3), ".webp", {cv::IMWRITE_WEBP_QUALITY, 70});
  return webp_file(webp_canvas(0x08, kSeedWidth, kSeedHeight) + plain.substr(12) +
                   webp_chunk("EXIF", tiff_with_orientation(5)));
}

std::vector<Part> jpeg_parts(const std::string& bytes) {
  std::vector<Part> parts;
  std::size_t at = 2;
  while (at + 4 <= bytes.size()) {
    const auto marker = number(bytes, at, 2, true);
    const bool segment = marker >= 0xFFC0 && marker < 0xFFFF && (marker & 0xF8U) != 0xD0U &&
                         marker != 0xFFD8 && marker != 0xFFD9;
    if (!segment) {
      ++at;
      continue;
    }
    const std::size_t end = at + 2 + number(bytes, at + 2, 2, true);
    parts.push_back({at, at + 2, end});
    at = end;
  }
  return parts;
}

/// The entries of its directory.
std::vector<Part> tiff_parts(const std::string& bytes) {
  const bool big = bytes.starts_with("MM");
  std::vector<Part> parts;
  const std::size_t directory = number(bytes, 4, 4, big);
  for (std::size_t i = 0; i < number(bytes, directory, 2, big); ++i) {
    const std::size_t at = directory + 2 + i * 12;
    parts.push_back({at, at + 4, at + 12});
  }
  return parts;
}

}  // namespace

std::string cmyk_jpeg_of(const cv::Mat& bgr) {
  cv::Mat ink;  // As Adobe stores it: 255 is none, and there is no black.
  cv::cvtColor(bgr, ink, cv::COLOR_BGR2RGBA);
  const tjhandle encoder = tjInitCompress();
  unsigned char* jpeg = nullptr;
  unsigned long size = 0;
  const int rc = tjCompress2(encoder, ink.data, ink.cols, static_cast<int>(ink.step), ink.rows,
                             TJPF_CMYK, &jpeg, &size, TJSAMP_444, 90, 0);
  FRAMEFLEET_ASSERT(rc == 0);
  std::string bytes(reinterpret_cast<const char*>(jpeg), size);
  tjFree(jpeg);
  tjDestroy(encoder);
  return bytes;
}

std::string be16(std::uint32_t value) {
  return {static_cast<char>(value >> 8U), static_cast<char>(value)};
}
std::string be32(std::uint32_t value) { return be16(value >> 16U) + be16(value & 0xFFFFU); }
std::string le24(std::uint32_t value) { return little(value, 3); }
std::string le32(std::uint32_t value) { return little(value, 4); }

std::string jpeg_segment(std::uint8_t marker, std::string_view body) {
  FRAMEFLEET_ASSERT(body.size() <= 65533);
  return "\xFF"s + static_cast<char>(marker) + be16(static_cast<std::uint32_t>(body.size()) + 2) +
         std::string(body);
}

std::string jpeg_frame(std::uint8_t marker, std::uint32_t width, std::uint32_t height,
                       std::uint32_t components) {
  std::string body = "\x08"s + be16(height) + be16(width) + static_cast<char>(components);
  for (std::uint32_t i = 1; i <= components; ++i) body += static_cast<char>(i) + "\x11\0"s;
  return jpeg_segment(marker, body);
}

std::string png_chunk(std::string_view name, std::string_view body) {
  const std::string checked = std::string(name) + std::string(body);
  const auto sum =
      crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
  return be32(static_cast<std::uint32_t>(body.size())) + checked +
         be32(static_cast<std::uint32_t>(sum));
}

std::string png_header(std::uint32_t width, std::uint32_t height, std::uint8_t depth,
                       std::uint8_t colour_type, bool interlaced) {
  return "\x89PNG\r\n\x1A\n"s +
         png_chunk("IHDR", be32(width) + be32(height) + static_cast<char>(depth) +
                               static_cast<char>(colour_type) + "\0\0"s +
                               static_cast<char>(interlaced ? 1 : 0));
}

std::string deflated_zeros(std::uint64_t count) {
  std::vector<Bytef> zeros(std::size_t{1} << 20U);
  std::vector<Bytef> room(std::size_t{64} << 10U);
  std::string out;
  z_stream stream{};
  FRAMEFLEET_ASSERT(deflateInit2(&stream, 9, Z_DEFLATED, 15, 9, Z_RLE) == Z_OK);
  for (int flush = Z_NO_FLUSH; flush != Z_FINISH;) {
    const std::uint64_t now = std::min<std::uint64_t>(count, zeros.size());
    count -= now;
    flush = count == 0 ? Z_FINISH : Z_NO_FLUSH;
    stream.next_in = zeros.data();
    stream.avail_in = static_cast<uInt>(now);
    do {
      stream.next_out = room.data();
      stream.avail_out = static_cast<uInt>(room.size());
      deflate(&stream, flush);
      out.append(reinterpret_cast<const char*>(room.data()), room.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  }
  deflateEnd(&stream);
  return out;
}

std::string webp_chunk(std::string_view name, std::string_view body) {
  return std::string(name) + le32(static_cast<std::uint32_t>(body.size())) + std::string(body) +
         std::string(body.size() % 2, '\0');
}

std::string webp_file(std::string_view chunks) {
  return "RIFF" + le32(static_cast<std::uint32_t>(chunks.size()) + 4) + "WEBP" +
         std::string(chunks);
}

std::string webp_canvas(std::uint8_t flags, std::uint32_t width, std::uint32_t height) {
  return webp_chunk("VP8X",
                    static_cast<char>(flags) + "\0\0\0"s + le24(width - 1) + le24(height - 1));
}

std::string tiff_with_orientation(int orientation) {
  return "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0"s + static_cast<char>(orientation) +
         "\0\0\0\0\0\0"s;
}

std::vector<Seed> picture_seeds() {
  const cv::Mat colour = motif(CV_8UC3);
  const cv::Mat grey = motif(CV_8UC1);
  const cv::Mat alpha = motif(CV_8UC4);
  const std::string jpeg = written(colour, ".jpg");
  return {
      {"colour.jpg", SeedFormat::jpeg, jpeg},
      {"grey.jpg", SeedFormat::jpeg, written(grey, ".jpg")},
      {"progressive.jpg", SeedFormat::jpeg,
       written(colour, ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1})},
      {"restarts.jpg", SeedFormat::jpeg,
       written(colour, ".jpg", {cv::IMWRITE_JPEG_RST_INTERVAL, 2})},
      {"cmyk.jpg", SeedFormat::jpeg, cmyk_jpeg_of(colour)},
      {"turned.jpg", SeedFormat::jpeg, with_exif(jpeg)},
      {"colour.png", SeedFormat::png, written(colour, ".png")},
      {"grey.png", SeedFormat::png, written(grey, ".png")},
      {"alpha.png", SeedFormat::png, written(alpha, ".png")},
      {"deep.png", SeedFormat::png, written(motif(CV_16UC3), ".png")},
      {"palette.png", SeedFormat::png, palette_png()},
      {"interlaced.png", SeedFormat::png, interlaced_png()},
      {"lossy.webp", SeedFormat::webp, written(colour, ".webp", {cv::IMWRITE_WEBP_QUALITY, 70})},
      {"lossless.webp", SeedFormat::webp,
       written(colour, ".webp", {cv::IMWRITE_WEBP_QUALITY, 101})},
      {"alpha.webp", SeedFormat::webp, written(alpha, ".webp", {cv::IMWRITE_WEBP_QUALITY, 70})},
      {"extended.webp", SeedFormat::webp, extended_webp()},
  };
}

std::vector<Part> parts_of(const Seed& seed) {
  const std::string& bytes = seed.bytes;
  if (seed.format == SeedFormat::jpeg) return jpeg_parts(bytes);
  if (seed.format == SeedFormat::bmp) {
    const std::size_t header = 14 + number(bytes, 14, 4, false);
    const std::size_t pixels = number(bytes, 10, 4, false);
    std::vector<Part> parts{{0, 2, 14}, {14, 14, header}, {pixels, 34, bytes.size()}};
    if (pixels > header) parts.push_back({header, 10, pixels});  // The palette.
    return parts;
  }
  if (seed.format == SeedFormat::tiff) return tiff_parts(bytes);
  std::vector<Part> parts;
  const bool is_png = seed.format == SeedFormat::png;
  for (std::size_t at = is_png ? 8 : 12; at + 8 <= bytes.size();) {
    const std::size_t length_at = is_png ? at : at + 4;
    const std::size_t length = number(bytes, length_at, 4, is_png);
    const std::size_t end = at + 8 + length + (is_png ? 4 : length % 2);
    parts.push_back({at, length_at, end});
    at = end;
  }
  return parts;
}

}  // namespace framefleet::test
