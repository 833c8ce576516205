#include "producer/cameras/camera_core.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::producer {
namespace {

/// In [0, 1): the finaliser of splitmix64, so that neighbours differ.
double jitter_of(std::uint64_t seed, std::uint32_t failures) {
  auto bits = seed + (std::uint64_t{failures} + 1) * 0x9e3779b97f4a7c15U;
  bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebU;
  bits ^= bits >> 31U;
  return static_cast<double>(bits >> 11U) / static_cast<double>(std::uint64_t{1} << 53U);
}

std::string seconds_text(Duration duration) {
  std::string text = std::to_string(seconds(duration));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + " s";
}

}  // namespace

CameraCore::CameraCore(CameraCoreOptions options, Time now)
    : options_(options), deadline_(now), since_(now) {}

void CameraCore::frame(Time now, CameraEffects& out) {
  if (phase_ != Phase::opening && phase_ != Phase::running) return;
  if (phase_ == Phase::opening) {
    phase_ = Phase::running;
    streams_since_ = now;
    enter(CameraState::streaming, "", now, out);
  }
  deadline_ = now + options_.camera_timeout;
}

void CameraCore::capture_ends(CaptureEnd end, std::string reason) {
  if (phase_ == Phase::waiting || phase_ == Phase::over) return;
  end_ = end;
  end_reason_ = std::move(reason);
}

void CameraCore::capture_gone(std::string reason, Time now, CameraEffects& out) {
  if (phase_ == Phase::waiting || phase_ == Phase::over) return;
  if (!end_reason_.empty()) reason = std::exchange(end_reason_, "");
  const auto end = std::exchange(end_, CaptureEnd::passing);
  const bool silent = std::exchange(silent_, false);
  if (end == CaptureEnd::finished) {
    phase_ = Phase::over;
    deadline_ = kNever;
    enter(CameraState::ended, std::move(reason), now, out);
    return;
  }
  if (phase_ == Phase::running && now - streams_since_ >= kSteadyAfter) failures_ = 0;
  const Duration rest = pause(end);
  phase_ = Phase::waiting;
  ++failures_;
  deadline_ = now + rest;
  if (end == CaptureEnd::refused) {
    enter(CameraState::failed, reason, now, out);
  } else if (!silent) {
    enter(CameraState::connecting, reason, now, out);
  }
  out.push_back(RetryPlanned{std::move(reason), failures_, rest});
}

void CameraCore::tick(Time now, CameraEffects& out) {
  if (now < deadline_) return;
  switch (phase_) {
    case Phase::waiting:
      if (state_ == CameraState::stalled) enter(CameraState::connecting, reason_, now, out);
      phase_ = Phase::opening;
      deadline_ = now + options_.open_timeout;
      out.push_back(StartCapture{});
      return;
    case Phase::opening:
      give_up("no frame within " + seconds_text(options_.open_timeout), out);
      return;
    case Phase::running:
      if (now - streams_since_ >= kSteadyAfter) failures_ = 0;
      silent_ = true;
      enter(CameraState::stalled, "no frame for " + seconds_text(options_.camera_timeout), now,
            out);
      give_up(reason_, out);
      return;
    case Phase::killed:
    case Phase::over:
      return;
  }
}

void CameraCore::give_up(std::string reason, CameraEffects& out) {
  phase_ = Phase::killed;
  deadline_ = kNever;
  end_ = CaptureEnd::passing;
  end_reason_ = std::move(reason);
  out.push_back(KillCapture{});
}

void CameraCore::enter(CameraState state, std::string reason, Time now, CameraEffects& out) {
  reason_ = std::move(reason);
  if (state == state_) return;
  out.push_back(StateChanged{state_, state, reason_});
  state_ = state;
  since_ = now;
}

Duration CameraCore::pause(CaptureEnd end) const {
  Duration base = end == CaptureEnd::refused ? options_.retry_max : options_.retry_min;
  for (std::uint32_t i = 0; i < failures_ && base < options_.retry_max; ++i) base *= 2;
  base = std::min(base, options_.retry_max);
  const double off = 0.5 * jitter_of(options_.jitter_seed, failures_);
  return base - Duration(static_cast<Duration::rep>(static_cast<double>(base.count()) * off));
}

}  // namespace framefleet::producer
