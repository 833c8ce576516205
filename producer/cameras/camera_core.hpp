#pragma once
// When a camera's capture process is started, given up and started again, and which state that is.
// Pure: takes (event, now), appends effects; no process, no clock, no randomness.
//
//                 first frame                silence for camera_timeout
//   connecting ───────────────▶ streaming ───────────────────────────────▶ stalled
//    ▲  │  ▲                     │   ▲                                        │ next try
//    │  │  └── capture ended ────┘   └──────────┐                             ▼
//    │  └ no frame within open_timeout:        │ first frame             connecting
//    └──  again, after a pause                 │
//         refused for good ──────▶ failed ─────┘     file over, no loop ──▶ ended
//
// The pause between two tries doubles from retry_min to retry_max, less up to half of it by jitter,
// so that cameras that went together do not come back together; it begins again at retry_min once
// the camera has streamed for kSteadyAfter. A failed camera is tried every retry_max. There is one
// capture process at a time: the next one starts when the last one is known to be gone.

#include "producer/cameras/camera_options.hpp"

#include "shared/base/time.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace framefleet::producer {

inline constexpr Duration kSteadyAfter = std::chrono::seconds{10};

/// Start a capture process; answered by capture_gone() if that cannot be done.
struct StartCapture {
  friend bool operator==(const StartCapture&, const StartCapture&) = default;
};
/// End it at once; capture_gone() tells when that is done.
struct KillCapture {
  friend bool operator==(const KillCapture&, const KillCapture&) = default;
};
/// For the log.
struct StateChanged {
  CameraState from{};
  CameraState to{};
  std::string reason;  ///< "" where frames came.
  friend bool operator==(const StateChanged&, const StateChanged&) = default;
};
/// For the log: a try came to nothing, the next one starts after `pause`.
struct RetryPlanned {
  std::string reason;
  std::uint32_t failures{0};  ///< In a row.
  Duration pause{};
  friend bool operator==(const RetryPlanned&, const RetryPlanned&) = default;
};
using CameraEffect = std::variant<StartCapture, KillCapture, StateChanged, RetryPlanned>;
using CameraEffects = std::vector<CameraEffect>;

/// How a capture process ends by its own word.
enum class CaptureEnd : std::uint8_t {
  passing,   ///< Something that may pass: no connection, the stream broke off.
  refused,   ///< The camera refuses what the options ask for, or has no video.
  finished,  ///< The file is over.
};

struct CameraCoreOptions {
  Duration camera_timeout{std::chrono::seconds{5}};
  Duration open_timeout{std::chrono::seconds{10}};
  Duration retry_min{std::chrono::seconds{1}};
  Duration retry_max{std::chrono::seconds{30}};
  std::uint64_t jitter_seed{0};  ///< Of the camera: two cameras have two.
};

class CameraCore {
 public:
  /// The first try is due at `now`.
  CameraCore(CameraCoreOptions options, Time now);

  /// The capture process has decoded a picture since the last call.
  void frame(Time now, CameraEffects& out);
  /// It says why it ends; it is gone when capture_gone() says so.
  void capture_ends(CaptureEnd end, std::string reason);
  /// It is gone, or could not be started. `reason` counts where it did not say one itself.
  void capture_gone(std::string reason, Time now, CameraEffects& out);
  void tick(Time now, CameraEffects& out);

  /// kNever once the camera has ended.
  Time next_deadline() const { return deadline_; }
  CameraState state() const { return state_; }
  /// Why it is in this state; "" while it streams, or has not been tried.
  const std::string& reason() const { return reason_; }
  /// Since when it has been in this state.
  Time since() const { return since_; }

 private:
  enum class Phase : std::uint8_t { waiting, opening, running, killed, over };

  void enter(CameraState state, std::string reason, Time now, CameraEffects& out);
  void give_up(std::string reason, CameraEffects& out);
  Duration pause(CaptureEnd end) const;

  CameraCoreOptions options_;
  Phase phase_{Phase::waiting};
  CameraState state_{CameraState::connecting};
  Time deadline_;
  Time since_;
  std::string reason_;
  Time streams_since_{};       // running
  std::uint32_t failures_{0};  // in a row
  bool silent_{false};         // killed: for its silence after frames
  CaptureEnd end_{CaptureEnd::passing};
  std::string end_reason_;  // "": it has said nothing
};

}  // namespace framefleet::producer
