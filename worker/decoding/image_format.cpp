#include "worker/decoding/image_format.hpp"

#include "worker/decoding/byte_view.hpp"

#include <array>

namespace framefleet::worker {
namespace {

constexpr std::array kFormats{ImageFormat::jpeg, ImageFormat::png, ImageFormat::webp,
                              ImageFormat::bmp, ImageFormat::tiff};

}  // namespace

std::string_view to_string(ImageFormat format) {
  switch (format) {
    case ImageFormat::jpeg:
      return "JPEG";
    case ImageFormat::png:
      return "PNG";
    case ImageFormat::webp:
      return "WebP";
    case ImageFormat::bmp:
      return "BMP";
    case ImageFormat::tiff:
      return "TIFF";
  }
  return "?";
}

std::string_view word_of(ImageFormat format) {
  switch (format) {
    case ImageFormat::jpeg:
      return "jpeg";
    case ImageFormat::png:
      return "png";
    case ImageFormat::webp:
      return "webp";
    case ImageFormat::bmp:
      return "bmp";
    case ImageFormat::tiff:
      return "tiff";
  }
  return "?";
}

std::optional<ImageFormat> format_of(std::span<const std::byte> bytes) {
  using namespace std::string_view_literals;
  const ByteView view(bytes);
  if (view.holds(0, "\xFF\xD8\xFF"sv)) return ImageFormat::jpeg;
  if (view.holds(0, "\x89PNG\r\n\x1A\n"sv)) return ImageFormat::png;
  if (view.holds(0, "RIFF"sv) && view.holds(8, "WEBP"sv)) return ImageFormat::webp;
  if (view.holds(0, "BM"sv)) return ImageFormat::bmp;
  if (view.holds(0, "II*\0"sv) || view.holds(0, "MM\0*"sv)) return ImageFormat::tiff;
  return std::nullopt;
}

std::string to_string(FormatSet formats) {
  std::string names;
  for (const auto format : kFormats) {
    if (!formats.has(format)) continue;
    if (!names.empty()) names += ", ";
    names += to_string(format);
  }
  return names;
}

}  // namespace framefleet::worker
