#pragma once
// Internal: a decoded picture, scaled down where it is too large, as JPEG by TurboJPEG. Buffers are
// kept from picture to picture. Threads: one at a time.

#include "producer/cameras/camera_options.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

struct AVFrame;
struct SwsContext;

namespace framefleet::producer {

struct Size {
  std::uint32_t width{0};
  std::uint32_t height{0};
  friend bool operator==(const Size&, const Size&) = default;
};

/// `size` scaled down, in its proportions, into `width` by `height`, of which 0 is no limit.
Size fitted(Size size, std::uint32_t width, std::uint32_t height);

struct EncodedFrame {
  std::span<const std::byte> jpeg;  ///< Until the next one.
  Size size;
};

class FrameEncoder {
 public:
  FrameEncoder(std::uint32_t width, std::uint32_t height, int quality, Chroma chroma);
  ~FrameEncoder();
  FrameEncoder(const FrameEncoder&) = delete;
  FrameEncoder& operator=(const FrameEncoder&) = delete;

  /// Nothing: a picture of this kind or size cannot be encoded.
  std::optional<EncodedFrame> encode(const AVFrame& frame);

 private:
  bool convert(const AVFrame& frame, Size to);

  std::uint32_t width_;
  std::uint32_t height_;
  int quality_;
  int subsampling_;
  void* compressor_;
  SwsContext* scaler_{nullptr};
  std::vector<std::uint8_t> pixels_;  // blue, green, red
  std::size_t stride_{0};
  unsigned char* jpeg_{nullptr};  // of TurboJPEG
  unsigned long jpeg_room_{0};
};

}  // namespace framefleet::producer
