#pragma once
// Internal: one of FFmpeg's video decoders, set up for little delay.

#include "producer/capture/av.hpp"

#include "shared/base/result.hpp"

#include <cstddef>
#include <span>

namespace framefleet::producer {

/// Of one picture; a larger one is not decoded.
inline constexpr std::int64_t kPixelsMax = std::int64_t{64} << 20U;

class Decoder {
 public:
  static Result<Decoder, CaptureEnding> open(const AVCodecParameters& parameters);
  /// For pictures that come as JPEG.
  static Result<Decoder, CaptureEnding> open_jpeg();

  /// A packet that cannot be decoded is dropped. Nothing: the end, let out what is held.
  void send(const AVPacket* packet);
  /// Forgets what came before.
  void flush();
  /// The next picture that is not damaged, until the next call; null: more packets are needed.
  const AVFrame* receive();
  /// A whole picture; null: it cannot be decoded.
  const AVFrame* decode(std::span<const std::byte> jpeg);
  std::uint64_t damaged() const { return damaged_; }

 private:
  static Result<Decoder, CaptureEnding> open(AVCodecID id, const AVCodecParameters* parameters);

  Av<AVCodecContext> context_;
  Av<AVFrame> frame_;
  Av<AVPacket> packet_;
  std::uint64_t damaged_{0};  // pictures, since it was opened
};

}  // namespace framefleet::producer
