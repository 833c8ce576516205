#include "producer/capture/motion_view.hpp"

#include "producer/capture/av.hpp"
#include "producer/capture/decoder.hpp"

extern "C" {
#include <libavutil/pixdesc.h>
}
#include <turbojpeg.h>

#include <array>

namespace framefleet::producer {

MotionView::MotionView(std::uint32_t width) : width_(width), decompressor_(tjInitDecompress()) {}

MotionView::~MotionView() { tjDestroy(decompressor_); }

FrameView MotionView::of(const AVFrame& frame) const {
  const auto* const format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  const bool has_brightness = format != nullptr && frame.linesize[0] > 0 &&
                              (format->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) == 0 &&
                              format->comp[0].depth == 8 && format->comp[0].step == 1;
  if (!has_brightness) return {};
  return {frame.data[0], static_cast<std::uint32_t>(frame.width),
          static_cast<std::uint32_t>(frame.height), 1, static_cast<std::size_t>(frame.linesize[0])};
}

FrameView MotionView::of(std::span<const std::byte> jpeg) {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(jpeg.data());
  int width = 0;
  int height = 0;
  int subsampling = 0;
  int colours = 0;
  if (decompressor_ == nullptr ||
      tjDecompressHeader3(decompressor_, bytes, jpeg.size(), &width, &height, &subsampling,
                          &colours) != 0 ||
      width <= 0 || height <= 0 || std::int64_t{width} * height > kPixelsMax) {
    return {};
  }
  tjscalingfactor factor{1, 1};
  for (const int parts : std::array{2, 4, 8}) {
    const tjscalingfactor smaller{1, parts};
    if (TJSCALED(width, smaller) >= static_cast<int>(width_)) factor = smaller;
  }
  const int scaled_width = TJSCALED(width, factor);
  const int scaled_height = TJSCALED(height, factor);
  pixels_.resize(static_cast<std::size_t>(scaled_width) * static_cast<std::size_t>(scaled_height));
  // A picture that is damaged at its end can be looked at all the same.
  if (tjDecompress2(decompressor_, bytes, jpeg.size(), pixels_.data(), scaled_width, 0,
                    scaled_height, TJPF_GRAY, TJFLAG_FASTDCT) != 0 &&
      tjGetErrorCode(decompressor_) != TJERR_WARNING) {
    return {};
  }
  return {pixels_.data(), static_cast<std::uint32_t>(scaled_width),
          static_cast<std::uint32_t>(scaled_height), 1, static_cast<std::size_t>(scaled_width)};
}

}  // namespace framefleet::producer
