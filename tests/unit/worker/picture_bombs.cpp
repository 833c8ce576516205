#include "tests/unit/worker/malformed_pictures.hpp"
#include "tests/unit/worker/picture_seeds.hpp"

#include "shared/base/assert.hpp"

#include <webp/encode.h>

#include <algorithm>
#include <vector>

namespace framefleet::test {
namespace {

using namespace std::string_literals;

/// The largest picture that the image gate lets through by default: 50 MP.
constexpr std::uint32_t kWidestAllowed = 10'000;
constexpr std::uint32_t kHighestAllowed = 5'000;

/// Bits of a scan, most significant first, with the zero that follows each FF.
std::string scan_bits(std::string_view bits) {
  std::string bytes;
  for (std::size_t i = 0; i < bits.size(); i += 8) {
    unsigned byte = 0;
    for (std::size_t k = i; k < i + 8; ++k) {
      byte = byte << 1U | (k >= bits.size() || bits[k] == '1' ? 1U : 0U);
    }
    bytes += static_cast<char>(byte);
    if (byte == 0xFF) bytes += '\0';
  }
  return bytes;
}

/// A table of one symbol, whose code is the single bit 0.
std::string one_code(std::uint8_t table, std::uint8_t symbol) {
  return jpeg_segment(
      0xC4, static_cast<char>(table) + "\1"s + std::string(15, '\0') + static_cast<char>(symbol));
}

/// A progressive JPEG whose scans each say in a few bytes that there is nothing new about runs of
/// 32767 blocks; a decoder goes over all of them each time.
std::string scans_bomb(std::uint32_t width, std::uint32_t height, std::uint32_t components,
                       int scans, bool whole) {
  const std::size_t blocks = std::size_t{(width + 7) / 8} * ((height + 7) / 8);
  std::string runs;
  for (std::size_t i = 0; i <= blocks / 32767; ++i) runs += "0" + std::string(14, '1');
  const std::string data = scan_bits(runs);
  std::string bytes = "\xFF\xD8"s + jpeg_segment(0xDB, '\0' + std::string(64, '\1')) +
                      jpeg_frame(0xC2, width, height, components) + one_code(0x00, 0) +
                      one_code(0x10, 0xE0);
  std::string interleaved(1, static_cast<char>(components));
  for (std::uint32_t i = 1; i <= components; ++i) interleaved += static_cast<char>(i) + "\0"s;
  bytes +=
      jpeg_segment(0xDA, interleaved + "\0\0\0"s) + std::string(blocks * components / 8 + 1, '\0');
  for (int i = 0; i < scans; ++i) {
    const auto component = static_cast<char>(1 + i % static_cast<int>(components));
    // First the coefficients, then refinements of their last bit.
    const auto refined = i < static_cast<int>(components) ? "\x01"s : "\x10"s;
    bytes += jpeg_segment(0xDA, "\1"s + component + "\0\x01\x3F"s + refined) + data;
  }
  return whole ? bytes + "\xFF\xD9"s : bytes;
}

void jpeg_bombs(const TakePicture& take) {
  const auto w = kWidestAllowed;
  const auto h = kHighestAllowed;
  take({"1000 scans", scans_bomb(800, 600, 1, 1000, true), Verdict::too_large});
  take({"101 scans", scans_bomb(800, 600, 1, 100, true), Verdict::too_large});
  take({"100 scans of little", scans_bomb(800, 600, 1, 99, true), Verdict::pixels});
  take({"100 scans of 50 MP", scans_bomb(w, h, 1, 99, true), Verdict::too_large});
  take({"15 scans of 50 MP", scans_bomb(w, h, 1, 14, true), Verdict::pixels});
  take({"15 scans of 50 MP, cut short", scans_bomb(w, h, 1, 14, false), Verdict::pixels});
  take({"12 scans of 50 MP in CMYK", scans_bomb(w, h, 4, 11, true), Verdict::pixels});
  take({"12 scans of 50 MP in CMYK, cut short", scans_bomb(w, h, 4, 11, false), Verdict::pixels});
  take({"40 scans of 50 MP in colour", scans_bomb(w, h, 3, 40, true), Verdict::too_large});
  std::string comments = "\xFF\xD8"s;
  for (int i = 0; i < 200; ++i) comments += jpeg_segment(0xFE, std::string(65'000, 'x'));
  take({"13 MB of comments and no frame", comments, Verdict::undecodable});
  std::string segments = "\xFF\xD8"s;
  for (int i = 0; i < 500'000; ++i) segments += "\xFF\xFE\0\x02"s;
  take({"half a million empty segments", segments + "\xFF\xD9"s, Verdict::undecodable});
  take(
      {"20 MB of FF", std::string(20'000'000, '\xFF').replace(1, 1, "\xD8"), Verdict::undecodable});
  for (const int coding : {0xC3, 0xC5, 0xC9, 0xCA, 0xCB, 0xCF}) {
    std::string bytes = scans_bomb(64, 64, 1, 1, true);
    bytes[bytes.find("\xFF\xC2"s) + 1] = static_cast<char>(coding);
    take({"a frame of another coding", bytes, Verdict::undecodable});
  }
}

std::string png_of_zeros(std::uint32_t width, std::uint32_t height, std::uint8_t depth,
                         std::uint8_t colour_type, std::uint32_t row_bytes) {
  return png_header(width, height, depth, colour_type, false) +
         png_chunk("IDAT", deflated_zeros(std::uint64_t{height} * (row_bytes + 1U))) +
         png_chunk("IEND", "");
}

void png_bombs(const TakePicture& take) {
  const auto w = kWidestAllowed;
  const auto h = kHighestAllowed;
  const std::string small = png_of_zeros(64, 64, 8, 0, 64);
  const auto within = [&](const std::string& chunks) {
    return small.substr(0, 33) + chunks + small.substr(33);
  };
  take({"400 MP without pixels",
        png_header(20'000, 20'000, 8, 0, false) + png_chunk("IDAT", "x") + png_chunk("IEND", ""),
        Verdict::too_large});
  take({"50 MP without pixels",
        png_header(w, h, 8, 2, false) + png_chunk("IDAT", "x") + png_chunk("IEND", ""),
        Verdict::undecodable});
  take({"50 MP of one grey", png_of_zeros(w, h, 8, 0, w), Verdict::pixels});
  take({"50 MP of 16 bits and alpha", png_of_zeros(w, h, 16, 6, w * 8), Verdict::pixels});
  take({"20000 pixels in a row", png_of_zeros(20'000, 1, 8, 2, 60'000), Verdict::pixels});
  take({"pixels that go on behind the last row",
        png_header(64, 64, 8, 0, false) + png_chunk("IDAT", deflated_zeros(200'000'000)) +
            png_chunk("IEND", "")});

  const std::string zeros = deflated_zeros(7'900'000);
  for (const auto& [name, body] :
       {std::pair{"zTXt"s, "a\0\0"s + zeros}, std::pair{"iTXt"s, "a\0\1\0\0\0"s + zeros},
        std::pair{"iCCP"s, "a\0\0"s + zeros},
        std::pair{"sPLT"s, "a\0\x08"s + std::string(6000, 'x')}}) {
    const std::string chunk = png_chunk(name, body);
    std::string many;
    for (int i = 0; i < 999; ++i) many += chunk;
    take({"999 times " + name, within(many), Verdict::pixels});
  }
  std::string comments;
  for (int i = 0; i < 1001; ++i) comments += png_chunk("tEXt", "a\0b"s);
  take({"1001 comments", within(comments), Verdict::too_large});
  std::string empty;
  for (int i = 0; i < 500'000; ++i) empty += png_chunk("IDAT", "");
  take({"half a million empty chunks of pixels", small.substr(0, 33) + empty + small.substr(33)});
}

std::string one_colour_webp(std::uint32_t width, std::uint32_t height, bool lossless) {
  const std::vector<std::uint8_t> pixels(std::size_t{width} * height * 3, 90);
  std::uint8_t* out = nullptr;
  const int w = static_cast<int>(width);
  const int h = static_cast<int>(height);
  const std::size_t size = lossless ? WebPEncodeLosslessRGB(pixels.data(), w, h, w * 3, &out)
                                    : WebPEncodeRGB(pixels.data(), w, h, w * 3, 20, &out);
  FRAMEFLEET_ASSERT(size > 0);
  std::string bytes(reinterpret_cast<const char*>(out), size);
  WebPFree(out);
  return bytes;
}

void webp_bombs(const TakePicture& take) {
  const std::string small = one_colour_webp(64, 48, false).substr(12);
  const auto extended = [&](std::uint8_t flags, const std::string& chunks) {
    return webp_file(webp_canvas(flags, 64, 48) + chunks);
  };
  take({"49 MP of one colour, lossless", one_colour_webp(16'383, 3'000, true), Verdict::pixels});
  take({"9 MP of one colour", one_colour_webp(3'000, 3'000, false), Verdict::pixels});
  take({"a canvas of 281 TP", webp_file(webp_canvas(0, 1U << 24U, 1U << 24U) + small),
        Verdict::too_large});
  take({"a canvas larger than its frame", webp_file(webp_canvas(0, 6'000, 6'000) + small),
        Verdict::undecodable});
  take({"a canvas smaller than its frame", webp_file(webp_canvas(0, 8, 8) + small),
        Verdict::undecodable});
  take({"a canvas without a frame", extended(0, ""), Verdict::undecodable});
  const std::string frame = webp_chunk("ANMF", std::string(16, '\0') + small);
  std::string frames = webp_chunk("ANIM", std::string(6, '\0'));
  for (int i = 0; i < 5000; ++i) frames += frame;
  take({"an animation of 5000 frames", extended(0x02, frames), Verdict::undecodable});
  take({"an animation that does not say so", extended(0, frames), Verdict::undecodable});
  std::string many;
  for (int i = 0; i < 1001; ++i) many += webp_chunk("JUNK", "");
  take({"1001 chunks", extended(0, many + small), Verdict::too_large});
  take({"a chunk of 4 GB", extended(0, "JUNK\xFF\xFF\xFF\xFF" + small), Verdict::undecodable});
}

}  // namespace

void make_picture_bombs(const TakePicture& take) {
  jpeg_bombs(take);
  png_bombs(take);
  webp_bombs(take);
}

}  // namespace framefleet::test
