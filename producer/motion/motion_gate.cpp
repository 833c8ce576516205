#include "producer/motion/motion_gate.hpp"

#include "producer/motion/scene.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace framefleet::producer {
namespace {

/// More of the picture than this does not move: the light was switched, or the camera turned.
constexpr double kWholePicture = 0.5;

bool is_sound(const FrameView& frame) {
  constexpr std::uint32_t kSideMax = 1U << 16U;
  return frame.pixels != nullptr && frame.width > 0 && frame.width <= kSideMax &&
         frame.height > 0 && frame.height <= kSideMax &&
         (frame.channels == 1 || frame.channels == 3) &&
         frame.stride >= std::size_t{frame.width} * frame.channels;
}

}  // namespace

MotionGate::MotionGate(MotionOptions options)
    : options_(std::move(options)), scene_(std::make_unique<Scene>(options_)) {}

MotionGate::~MotionGate() = default;
MotionGate::MotionGate(MotionGate&&) noexcept = default;
MotionGate& MotionGate::operator=(MotionGate&&) noexcept = default;

bool MotionGate::pass(const FrameView& frame, Time captured_at) {
  const Time now = looked_at_ ? std::max(captured_at, *looked_at_) : captured_at;
  const Duration since_last = now - looked_at_.value_or(now);
  looked_at_ = now;
  const auto verdict = judge(frame, now, since_last);
  const bool forced = verdict == Verdict::still && passed_at_ &&
                      options_.forced_interval > Duration::zero() &&
                      now - *passed_at_ >= options_.forced_interval;
  if (verdict == Verdict::still && !forced) {
    ++stats_.gated;
    return false;
  }
  passed_at_ = now;
  ++stats_.passed;
  if (forced) ++stats_.forced;
  if (verdict == Verdict::moving) ++stats_.moving;
  if (verdict == Verdict::unseen) ++stats_.unseen;
  return true;
}

MotionGate::Verdict MotionGate::judge(const FrameView& frame, Time now, Duration since_last) {
  stats_.largest_area = 0;
  Change change;
  try {
    if (!is_sound(frame)) return Verdict::unseen;
    change = scene_->look(frame, seconds(since_last), now <= warm_until_);
  } catch (const std::exception&) {
    scene_->forget();
    return Verdict::unseen;
  }
  if (change.first) {
    warm_until_ = now + options_.warm_up;
    ++stats_.warm_ups;
  }
  if (now <= warm_until_) return Verdict::warming_up;
  stats_.largest_area = change.largest;
  if (change.whole > kWholePicture) scene_->forget();
  if (change.largest >= options_.min_area) {
    hold_until_ = now + options_.hold;
    return Verdict::moving;
  }
  return now <= hold_until_ ? Verdict::held : Verdict::still;
}

}  // namespace framefleet::producer
