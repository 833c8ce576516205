#include "worker/decoding/codecs.hpp"
#include "worker/decoding/header_parsers.hpp"

#include <turbojpeg.h>

#include <new>
#include <string>

namespace framefleet::worker {
namespace {

struct Ink {
  int blue;
  int green;
  int red;
};

/// One CMYK pixel as Adobe stores it (inverted: 255 is no ink), in the arithmetic of cv::imread.
Ink mix(const std::uint8_t* cmyk) {
  const int black = cmyk[3];
  const auto over_black = [&](int ink) { return black - (((255 - ink) * black) >> 8); };
  return {over_black(cmyk[2]), over_black(cmyk[1]), over_black(cmyk[0])};
}

void cmyk_to_bgr(const std::uint8_t* cmyk, std::uint8_t* bgr, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i, cmyk += 4, bgr += 3) {
    const Ink ink = mix(cmyk);
    bgr[0] = static_cast<std::uint8_t>(ink.blue);
    bgr[1] = static_cast<std::uint8_t>(ink.green);
    bgr[2] = static_cast<std::uint8_t>(ink.red);
  }
}

void cmyk_to_grey(const std::uint8_t* cmyk, std::uint8_t* grey, std::size_t count) {
  constexpr int kBits = 14;
  constexpr int kRed = static_cast<int>(0.299 * (1 << kBits) + 0.5);
  constexpr int kGreen = static_cast<int>(0.587 * (1 << kBits) + 0.5);
  constexpr int kBlue = (1 << kBits) - kRed - kGreen;
  for (std::size_t i = 0; i < count; ++i, cmyk += 4, ++grey) {
    const Ink ink = mix(cmyk);
    const int sum = ink.blue * kBlue + ink.green * kGreen + ink.red * kRed;
    *grey = static_cast<std::uint8_t>((sum + (1 << (kBits - 1))) >> kBits);
  }
}

}  // namespace

JpegDecoder::JpegDecoder() : handle_(tjInitDecompress()) {
  if (handle_ == nullptr) throw std::bad_alloc();
}

JpegDecoder::~JpegDecoder() { tjDestroy(handle_); }

Result<bool, PictureError> JpegDecoder::decode(std::span<const std::byte> bytes,
                                               const ImageHeader& header, int channels,
                                               PlaneBuffer& out) {
  if (header.channels != 4) {
    return decompress(bytes, header, channels == 1 ? TJPF_GRAY : TJPF_BGR, out);
  }
  const auto damaged = decompress(bytes, header, TJPF_CMYK, cmyk_);
  if (!damaged) return damaged;
  out.reset(static_cast<int>(header.width), static_cast<int>(header.height), channels);
  const std::size_t count = std::size_t{header.width} * header.height;
  if (channels == 1) {
    cmyk_to_grey(cmyk_.data(), out.data(), count);
  } else {
    cmyk_to_bgr(cmyk_.data(), out.data(), count);
  }
  return damaged;
}

Result<bool, PictureError> JpegDecoder::decompress(std::span<const std::byte> bytes,
                                                   const ImageHeader& header, int pixel_format,
                                                   PlaneBuffer& out) {
  const int width = static_cast<int>(header.width);
  const int height = static_cast<int>(header.height);
  out.reset(width, height, tjPixelSize[pixel_format]);
  const int pitch = static_cast<int>(out.plane().stride);
  const int rc = tjDecompress2(handle_, reinterpret_cast<const unsigned char*>(bytes.data()),
                               static_cast<unsigned long>(bytes.size()), out.data(), width, pitch,
                               height, pixel_format, TJFLAG_LIMITSCANS);
  if (rc == 0) return false;
  if (tjGetErrorCode(handle_) == TJERR_WARNING) return true;
  return undecodable(std::string("JPEG: ") + tjGetErrorStr2(handle_));
}

}  // namespace framefleet::worker
