#pragma once
// Internal: what the motion gate looks at, taken from a picture at the least cost: of a decoded one
// the plane of its brightness as it lies there, of a JPEG a small grey decoding.

#include "producer/motion/motion_gate.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

struct AVFrame;

namespace framefleet::producer {

class MotionView {
 public:
  /// `width`: pixels across that the gate works with; no less than that is handed to it.
  explicit MotionView(std::uint32_t width);
  ~MotionView();
  MotionView(const MotionView&) = delete;
  MotionView& operator=(const MotionView&) = delete;

  /// Without pixels where there is nothing to look at.
  FrameView of(const AVFrame& frame) const;
  FrameView of(std::span<const std::byte> jpeg);

 private:
  std::uint32_t width_;
  void* decompressor_;
  std::vector<std::uint8_t> pixels_;
};

}  // namespace framefleet::producer
