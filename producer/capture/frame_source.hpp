#pragma once
// Internal: where a capture process gets its pictures from. Threads: one at a time.

#include "producer/cameras/capture_wire.hpp"

#include "shared/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

struct AVFrame;

namespace framefleet::producer {

/// As the camera gave it: decoded, or a JPEG. Valid until the next one is asked for.
struct GrabbedPicture {
  const AVFrame* decoded{nullptr};
  std::span<const std::byte> jpeg;
  std::int64_t captured_at_ms{0};
};

class FrameSource {
 public:
  virtual ~FrameSource() = default;
  FrameSource(const FrameSource&) = delete;
  FrameSource& operator=(const FrameSource&) = delete;

  /// Once, before the first next().
  virtual Result<void, CaptureEnding> open() = 0;
  /// Waits for the next picture; how long is not its business, but the producer's.
  virtual Result<GrabbedPicture, CaptureEnding> next() = 0;
  /// What the pictures come as: "h264", "mjpeg".
  virtual std::string_view codec() const = 0;
  /// Pictures that were not decoded, to catch up.
  virtual std::uint64_t skipped() const { return 0; }
  /// Pictures that are not given out because parts of them were lost.
  virtual std::uint64_t damaged() const { return 0; }

 protected:
  FrameSource() = default;
};

}  // namespace framefleet::producer
