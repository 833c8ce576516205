#include "producer/capture/frame_encoder.hpp"

#include "producer/capture/decoder.hpp"

extern "C" {
#include <libswscale/swscale.h>
}
#include <turbojpeg.h>

#include <algorithm>
#include <cmath>

namespace framefleet::producer {
namespace {

int subsampling_of(Chroma chroma) {
  switch (chroma) {
    case Chroma::yuv420:
      return TJSAMP_420;
    case Chroma::yuv422:
      return TJSAMP_422;
    case Chroma::yuv444:
      return TJSAMP_444;
  }
  return TJSAMP_420;
}

std::uint32_t scaled(std::uint32_t side, double scale) {
  return std::max(1U, static_cast<std::uint32_t>(std::lround(side * scale)));
}

}  // namespace

Size fitted(Size size, std::uint32_t width, std::uint32_t height) {
  double scale = 1;
  if (width != 0) scale = std::min(scale, static_cast<double>(width) / size.width);
  if (height != 0) scale = std::min(scale, static_cast<double>(height) / size.height);
  return scale >= 1 ? size : Size{scaled(size.width, scale), scaled(size.height, scale)};
}

FrameEncoder::FrameEncoder(std::uint32_t width, std::uint32_t height, int quality, Chroma chroma)
    : width_(width),
      height_(height),
      quality_(std::clamp(quality, 1, 100)),
      subsampling_(subsampling_of(chroma)),
      compressor_(tjInitCompress()) {}

FrameEncoder::~FrameEncoder() {
  sws_freeContext(scaler_);
  tjFree(jpeg_);
  tjDestroy(compressor_);
}

bool FrameEncoder::convert(const AVFrame& frame, Size to) {
  scaler_ = sws_getCachedContext(scaler_, frame.width, frame.height,
                                 static_cast<AVPixelFormat>(frame.format),
                                 static_cast<int>(to.width), static_cast<int>(to.height),
                                 AV_PIX_FMT_BGR24, SWS_AREA, nullptr, nullptr, nullptr);
  if (scaler_ == nullptr) return false;
  const int* of_frame = sws_getCoefficients(frame.colorspace);
  const int full_range = frame.color_range == AVCOL_RANGE_JPEG ? 1 : 0;
  constexpr int kOne = 1 << 16;
  sws_setColorspaceDetails(scaler_, of_frame, full_range, sws_getCoefficients(SWS_CS_DEFAULT), 1, 0,
                           kOne, kOne);
  // Rows begin at multiples of 64 bytes, for the scaler's vector instructions.
  stride_ = (std::size_t{to.width} * 3 + 63) / 64 * 64;
  pixels_.resize(stride_ * to.height + 64);
  std::uint8_t* planes[]{pixels_.data()};
  const int strides[]{static_cast<int>(stride_)};
  return sws_scale(scaler_, frame.data, frame.linesize, 0, frame.height, planes, strides) ==
         static_cast<int>(to.height);
}

std::optional<EncodedFrame> FrameEncoder::encode(const AVFrame& frame) {
  if (frame.width <= 0 || frame.height <= 0 || compressor_ == nullptr ||
      std::int64_t{frame.width} * frame.height > kPixelsMax) {
    return std::nullopt;
  }
  const Size from{static_cast<std::uint32_t>(frame.width),
                  static_cast<std::uint32_t>(frame.height)};
  const Size to = fitted(from, width_, height_);
  if (!convert(frame, to)) return std::nullopt;
  const int width = static_cast<int>(to.width);
  const int height = static_cast<int>(to.height);
  if (const auto room = tjBufSize(width, height, subsampling_); room > jpeg_room_) {
    tjFree(jpeg_);
    jpeg_ = tjAlloc(static_cast<int>(room));
    jpeg_room_ = jpeg_ == nullptr ? 0 : room;
  }
  if (jpeg_ == nullptr) return std::nullopt;
  unsigned long bytes = jpeg_room_;
  if (tjCompress2(compressor_, pixels_.data(), width, static_cast<int>(stride_), height, TJPF_BGR,
                  &jpeg_, &bytes, subsampling_, quality_, TJFLAG_NOREALLOC) != 0) {
    return std::nullopt;
  }
  return EncodedFrame{std::as_bytes(std::span(jpeg_, bytes)), to};
}

}  // namespace framefleet::producer
