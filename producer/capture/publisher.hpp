#pragma once
// Internal: from a picture as it was grabbed to a JPEG in the memory that the producer reads: what
// is JPEG already as it is, unless the options say otherwise. Threads: one at a time.

#include "producer/cameras/camera_options.hpp"
#include "producer/cameras/capture_wire.hpp"
#include "producer/cameras/frame_slots.hpp"
#include "producer/capture/decoder.hpp"
#include "producer/capture/frame_encoder.hpp"
#include "producer/capture/frame_source.hpp"
#include "producer/capture/jpeg_splitter.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace framefleet::producer {

/// Decoded, or a JPEG from its first marker to its last. As long valid as what was grabbed.
struct WholePicture {
  const AVFrame* decoded{nullptr};
  FoundJpeg jpeg;  ///< Where it is not decoded.
  std::int64_t captured_at_ms{0};
};
/// Nothing: it breaks off.
std::optional<WholePicture> whole_of(const GrabbedPicture& picture);

class Publisher {
 public:
  Publisher(const CameraOptions& options, FrameWriter frames);

  /// `codec`: of the picture, for words. A picture that cannot become a JPEG is left out. An
  /// ending: no later one will fare better.
  std::optional<CaptureEnding> publish(const WholePicture& picture, std::string_view codec);
  void count(const CaptureCounts& counts) { frames_.count(counts); }

 private:
  std::optional<CaptureEnding> publish(const AVFrame& frame, std::int64_t captured_at_ms);
  std::optional<CaptureEnding> publish(const EncodedFrame& frame, std::int64_t captured_at_ms);
  const AVFrame* decoded(std::span<const std::byte> jpeg);

  const CameraOptions& options_;
  FrameWriter frames_;
  FrameEncoder encoder_;
  std::optional<Decoder> decoder_;  // of JPEG pictures that are not passed on as they are
};

}  // namespace framefleet::producer
