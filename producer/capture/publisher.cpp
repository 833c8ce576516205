#include "producer/capture/publisher.hpp"

#include <string>
#include <utility>

namespace framefleet::producer {

std::optional<WholePicture> whole_of(const GrabbedPicture& picture) {
  if (picture.decoded != nullptr) return WholePicture{picture.decoded, {}, picture.captured_at_ms};
  const auto jpeg = JpegSplitter::whole(picture.jpeg);
  if (!jpeg) return std::nullopt;
  return WholePicture{nullptr, *jpeg, picture.captured_at_ms};
}

Publisher::Publisher(const CameraOptions& options, FrameWriter frames)
    : options_(options),
      frames_(std::move(frames)),
      encoder_(options.width, options.height, options.quality, options.chroma) {}

std::optional<CaptureEnding> Publisher::publish(const WholePicture& picture,
                                                std::string_view codec) {
  if (picture.decoded != nullptr) {
    if (options_.codec == Codec::passthrough) {
      return CaptureEnding{CaptureEnd::refused,
                           "codec is passthrough, but the camera sends " + std::string(codec)};
    }
    return publish(*picture.decoded, picture.captured_at_ms);
  }
  const auto& jpeg = picture.jpeg;
  const Size size{jpeg.width, jpeg.height};
  const bool as_it_is =
      options_.codec == Codec::passthrough ||
      (options_.codec == Codec::automatic && fitted(size, options_.width, options_.height) == size);
  if (as_it_is) return publish(EncodedFrame{jpeg.bytes, size}, picture.captured_at_ms);
  const AVFrame* const frame = decoded(jpeg.bytes);
  return frame == nullptr ? std::nullopt : publish(*frame, picture.captured_at_ms);
}

std::optional<CaptureEnding> Publisher::publish(const AVFrame& frame, std::int64_t captured_at_ms) {
  const auto encoded = encoder_.encode(frame);
  return encoded ? publish(*encoded, captured_at_ms) : std::nullopt;
}

std::optional<CaptureEnding> Publisher::publish(const EncodedFrame& frame,
                                                std::int64_t captured_at_ms) {
  if (frames_.publish(frame.jpeg, frame.size.width, frame.size.height, captured_at_ms)) return {};
  return CaptureEnding{CaptureEnd::passing, "there is no memory for a frame of " +
                                                std::to_string(frame.jpeg.size()) + " bytes"};
}

const AVFrame* Publisher::decoded(std::span<const std::byte> jpeg) {
  if (!decoder_) {
    auto decoder = Decoder::open_jpeg();
    if (!decoder) return nullptr;
    decoder_ = std::move(*decoder);
  }
  return decoder_->decode(jpeg);
}

}  // namespace framefleet::producer
