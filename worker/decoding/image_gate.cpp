#include "worker/decoding/image_gate.hpp"

#include "worker/decoding/header_parsers.hpp"

#include <fmt/format.h>

#include <array>

namespace framefleet::worker {
namespace {

using namespace std::string_view_literals;

struct Magic {
  std::string_view bytes;
  std::string_view name;
};

/// Formats that people do send and that are refused: the message should name them.
constexpr std::array kRefused{
    Magic{"GIF8"sv, "a GIF"},
    Magic{"II+\0"sv, "a BigTIFF"},
    Magic{"MM\0+"sv, "a BigTIFF"},
    Magic{"DDS "sv, "a DDS texture"},
    Magic{"\0\0\1\0"sv, "an icon"},
    Magic{"\xFF\x4F\xFF\x51"sv, "a JPEG 2000 picture"},
    Magic{"\0\0\0\x0CjP  "sv, "a JPEG 2000 picture"},
    Magic{"P4"sv, "a PBM"},
    Magic{"P5"sv, "a PGM"},
    Magic{"P6"sv, "a PPM"},
    Magic{"PF"sv, "a PFM"},
    Magic{"Pf"sv, "a PFM"},
    Magic{"%PDF"sv, "a PDF"},
    Magic{"PK\3\4"sv, "a ZIP archive"},
};

bool looks_like_text(ByteView bytes) {
  const std::size_t seen = std::min<std::size_t>(bytes.size(), 512);
  for (std::size_t i = 0; i < seen; ++i) {
    const std::uint8_t c = bytes.u8(i);
    const bool blank = c == '\t' || c == '\n' || c == '\r' || c == '\f';
    if ((c < 0x20 && !blank) || c == 0x7F) return false;
  }
  return true;
}

PictureError not_accepted(std::string what, FormatSet accepted) {
  return {Reason::not_a_picture, fmt::format("{}; this worker takes {} (--formats)",
                                             std::move(what), to_string(accepted))};
}

/// What bytes of no format of ours are.
std::string name_of(ByteView bytes) {
  for (const auto& magic : kRefused) {
    if (bytes.holds(0, magic.bytes)) return std::string(magic.name);
  }
  if (bytes.holds(4, "ftyp")) return "a HEIF, AVIF or MP4 file";
  if (looks_like_text(bytes)) return "text or HTML, not a picture";
  return fmt::format("unknown format (starts with {:02x} {:02x} {:02x} {:02x})", bytes.u8(0),
                     bytes.u8(1), bytes.u8(2), bytes.u8(3));
}

}  // namespace

tl::unexpected<PictureError> undecodable(std::string text) {
  return fail(PictureError{Reason::undecodable, std::move(text)});
}

std::optional<PictureError> check_size(const ImageHeader& header, const ImageLimits& limits) {
  const std::string promise = fmt::format("{} promises {} x {} pixels", to_string(header.format),
                                          header.width, header.height);
  if (header.width == 0 || header.height == 0) {
    return PictureError{Reason::undecodable, promise + ": there is nothing to decode"};
  }
  if (std::uint64_t{header.width} * header.height > limits.pixels_max) {
    return PictureError{Reason::too_large_picture,
                        fmt::format("{}; the limit is {}", promise, limits.pixels_max)};
  }
  if (std::max(header.width, header.height) > limits.side_max) {
    return PictureError{Reason::too_large_picture,
                        fmt::format("{}; the limit is {} on a side", promise, limits.side_max)};
  }
  return std::nullopt;
}

Result<ImageHeader, PictureError> inspect_image(std::span<const std::byte> bytes,
                                                const ImageLimits& limits) {
  const ByteView view(bytes);
  if (view.size() == 0) {
    return fail(PictureError{Reason::empty_picture, "the picture has no bytes"});
  }
  if (view.size() > limits.bytes_max) {
    return fail(PictureError{
        Reason::too_large_picture,
        fmt::format("the picture has {} bytes; the limit is {}", view.size(), limits.bytes_max)});
  }
  const auto format = format_of(bytes);
  if (!format) return fail(not_accepted(name_of(view), limits.formats));
  if (!limits.formats.has(*format)) {
    return fail(not_accepted(fmt::format("a {}", to_string(*format)), limits.formats));
  }
  switch (*format) {
    case ImageFormat::jpeg:
      return read_jpeg_header(view, limits);
    case ImageFormat::png:
      return read_png_header(view, limits);
    case ImageFormat::webp:
      return read_webp_header(view, limits);
    case ImageFormat::bmp:
      return read_bmp_header(view, limits);
    case ImageFormat::tiff:
      return read_tiff_header(view, limits);
  }
  return undecodable("no such format");
}

}  // namespace framefleet::worker
