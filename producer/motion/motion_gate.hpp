#pragma once
// Which frames of one camera are worth a detector: those with motion, and some to be sure.
//
// A frame passes if something moves in it, for `hold` after that, while the background is being
// learnt, and when none has passed for `forced_interval`; every other one is gated. What is looked
// at is a small grey picture, evened out by its mean, so that a cloud is no motion; a picture that
// changes as a whole begins a new warm-up. Times, not numbers of frames, decide how fast is learnt:
// a camera may change its pace.
//
// Frames come in order of `captured_at`, any size, and all of them: those that are gated teach the
// background too. Memory: some small pictures. Threads: one at a time. Errors: a frame that cannot
// be looked at passes (a gate that broke must not look like a scene without motion) and is counted.

#include "producer/motion/motion_options.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace framefleet::producer {

class Scene;  // keeps OpenCV out of this header

/// Pixels somebody else owns, 8 bits each. `channels`: 1 (grey) or 3 (blue, green, red). `stride`:
/// bytes from row to row.
struct FrameView {
  const std::uint8_t* pixels{nullptr};
  std::uint32_t width{0};
  std::uint32_t height{0};
  std::uint32_t channels{0};
  std::size_t stride{0};
};

/// Of every frame since the gate was made: passed + gated.
struct MotionStats {
  std::uint64_t passed{0};
  std::uint64_t gated{0};
  std::uint64_t moving{0};    ///< Of those passed, something moved in so many.
  std::uint64_t forced{0};    ///< Of those passed, so many only because none had for a while.
  std::uint64_t warm_ups{0};  ///< Begun: one, and one for each change of the whole picture.
  std::uint64_t unseen{0};    ///< Of those passed, so many could not be looked at.
  /// Share of the last frame that its largest moving patch has; 0: less than `min_area` in all.
  double largest_area{0};

  friend bool operator==(const MotionStats&, const MotionStats&) = default;
};

class MotionGate {
 public:
  /// Requires: options that check() accepts.
  explicit MotionGate(MotionOptions options);
  ~MotionGate();
  MotionGate(MotionGate&&) noexcept;
  MotionGate& operator=(MotionGate&&) noexcept;

  /// Whether the frame is worth a detector.
  bool pass(const FrameView& frame, Time captured_at);

  const MotionStats& stats() const { return stats_; }

 private:
  enum class Verdict : std::uint8_t { unseen, warming_up, moving, held, still };
  Verdict judge(const FrameView& frame, Time now, Duration since_last);

  MotionOptions options_;
  std::unique_ptr<Scene> scene_;
  MotionStats stats_;
  std::optional<Time> looked_at_;
  std::optional<Time> passed_at_;
  Time warm_until_{Time::min()};
  Time hold_until_{Time::min()};
};

}  // namespace framefleet::producer
