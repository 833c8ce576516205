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

/// For one pass over one picture: libjpeg keeps the tables that it has read, and would decode a
/// JPEG that brings none with those of the picture before. Making one is as good as free.
class Decompressor {
 public:
  Decompressor() : handle_(tjInitDecompress()) {
    if (handle_ == nullptr) throw std::bad_alloc();
  }
  ~Decompressor() { tjDestroy(handle_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  tjhandle get() const { return handle_; }

 private:
  tjhandle handle_;
};

constexpr int kWhole = -1;

struct Pass {
  int verdict{kWhole};  ///< Or TJERR_WARNING, or TJERR_FATAL.
  std::string text;     ///< The last thing that was wrong.
};

/// One side of the picture at that scale, as TurboJPEG has it.
int scaled(std::uint32_t side, DecodeScale scale) {
  const tjscalingfactor factor{1, static_cast<int>(scale)};
  return TJSCALED(static_cast<int>(side), factor);
}

/// Decodes as many rows of `out` as can be, from the top, at the scale that its size asks for.
Pass pass(std::span<const std::byte> bytes, const ImageHeader& header, int pixel_format,
          PlaneBuffer& out) {
  const Decompressor jpeg;
  const Plane plane = out.plane();
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto size = static_cast<unsigned long>(bytes.size());
  // As they stay where the header cannot be read: the next call says why.
  const int promised_width = static_cast<int>(header.width);
  const int promised_height = static_cast<int>(header.height);
  int width = promised_width;
  int height = promised_height;
  int subsampling = 0;
  int colours = 0;
  tjDecompressHeader3(jpeg.get(), data, size, &width, &height, &subsampling, &colours);
  // TurboJPEG would scale to the size that it is asked for, whatever memory that took.
  if (width != promised_width || height != promised_height) {
    return {TJERR_FATAL, "the frame contradicts its own header"};
  }
  const int rc =
      tjDecompress2(jpeg.get(), data, size, out.data(), plane.width, static_cast<int>(plane.stride),
                    plane.height, pixel_format, TJFLAG_LIMITSCANS);
  if (rc == 0) return {};
  return {tjGetErrorCode(jpeg.get()), tjGetErrorStr2(jpeg.get())};
}

/// After a warning TurboJPEG calls an error a warning too, and rows that were not written because
/// of it hold an earlier picture. The last byte of `out` is written last: an error is where a
/// second pass does not bring it back.
bool reaches_the_end(std::span<const std::byte> bytes, const ImageHeader& header, int pixel_format,
                     PlaneBuffer& out) {
  const Plane plane = out.plane();
  std::uint8_t& last = out.row(plane.height - 1)[plane.stride - 1];
  const std::uint8_t written = last;
  last = static_cast<std::uint8_t>(~written);
  pass(bytes, header, pixel_format, out);
  return last == written;
}

}  // namespace

Result<void, PictureError> JpegDecoder::begin(std::span<const std::byte> bytes,
                                              const ImageHeader& header, DecodeScale scale) {
  if (header.channels != 4) return {};
  return decompress(bytes, header, TJPF_CMYK, scale, cmyk_).map([this](bool damaged) {
    cmyk_damaged_ = damaged;
  });
}

Result<bool, PictureError> JpegDecoder::decode(std::span<const std::byte> bytes,
                                               const ImageHeader& header, int channels,
                                               DecodeScale scale, PlaneBuffer& out) {
  if (header.channels != 4) {
    return decompress(bytes, header, channels == 1 ? TJPF_GRAY : TJPF_BGR, scale, out);
  }
  const Plane inks = cmyk_.plane();
  out.reset(inks.width, inks.height, channels);
  const std::size_t count =
      static_cast<std::size_t>(inks.width) * static_cast<std::size_t>(inks.height);
  if (channels == 1) {
    cmyk_to_grey(cmyk_.data(), out.data(), count);
  } else {
    cmyk_to_bgr(cmyk_.data(), out.data(), count);
  }
  return cmyk_damaged_;
}

Result<bool, PictureError> JpegDecoder::decompress(std::span<const std::byte> bytes,
                                                   const ImageHeader& header, int pixel_format,
                                                   DecodeScale scale, PlaneBuffer& out) {
  out.reset(scaled(header.width, scale), scaled(header.height, scale), tjPixelSize[pixel_format]);
  const auto first = pass(bytes, header, pixel_format, out);
  if (first.verdict == kWhole) return false;
  if (first.verdict == TJERR_WARNING && reaches_the_end(bytes, header, pixel_format, out))
    return true;
  return undecodable("JPEG: " + first.text);
}

}  // namespace framefleet::worker
