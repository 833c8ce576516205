#pragma once
// One camera: its capture process, which is started, watched, ended and started again, and the
// newest frame that process has. CameraCore decides; this acts.
//
//   wait until one of fds() is readable or next_deadline()  →  perform(now)  →  take_newest(now)
//
// What the process says is a stranger's word: texts come out of here with the camera's secrets
// blotted out, in printable ASCII, and short. Nothing here waits for the process, but for the
// destructor, which ends it and gives the kernel a second to do so. Threads: one, and the one that
// started the process must outlive it (it dies with that thread). Errors: a process that cannot be
// started is a try that failed.

#include "producer/cameras/camera_core.hpp"
#include "producer/cameras/camera_options.hpp"
#include "producer/cameras/frame_slots.hpp"

#include "shared/base/file_descriptor.hpp"
#include "shared/base/result.hpp"
#include "shared/base/secret.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace framefleet::producer {

struct CameraStats {
  std::uint64_t decoded{0};         ///< Pictures the camera gave.
  std::uint64_t skipped{0};         ///< Not decoded, to catch up with a camera that was ahead.
  std::uint64_t damaged{0};         ///< Not whole, because packets were lost; not given out.
  std::uint64_t gated{0};           ///< Kept back by the motion gate.
  std::uint64_t taken{0};           ///< Frames that take_newest() returned.
  std::uint64_t replaced{0};        ///< Frames whose place a newer one took before they were taken.
  std::uint64_t starts{0};          ///< Of capture processes.
  std::optional<Duration> silence;  ///< Since the last picture; nothing: there was none.
};

/// For the log, in order.
using CameraNote = std::variant<StateChanged, RetryPlanned>;

/// framefleet-capture, which is installed beside this program. Errors: it is not there (66).
Result<std::string, Error> capture_program();

class Camera {
 public:
  /// The process is started by the first perform(). `program`: of capture_program().
  Camera(CameraOptions options, std::string program, Time now);
  ~Camera();
  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;

  /// Change when a process starts or ends.
  std::vector<int> fds() const;
  Time next_deadline() const;
  std::vector<CameraNote> perform(Time now);
  /// The newest frame, once.
  std::optional<CapturedFrame> take_newest(Time now);

  /// Lets the camera know that we leave, starts nothing more; a process that is not gone a second
  /// later is killed.
  void stop(Time now);
  bool stopped() const { return stop_at_.has_value() && pid_ == 0; }

  const CameraOptions& options() const { return options_; }
  CameraState state() const { return core_.state(); }
  const std::string& reason() const { return core_.reason(); }
  CameraStats stats(Time now) const;
  /// Of the capture process; 0: there is none.
  pid_t pid() const { return pid_; }

 private:
  void hear();
  void look_for_pictures(Time now, CameraEffects& out);
  void reap(Time now, CameraEffects& out);
  Result<void, Error> start();
  void kill(std::string why);

  CameraOptions options_;
  std::string program_;
  Scrubber scrubber_;
  CameraCore core_;
  pid_t pid_{0};
  FileDescriptor pidfd_;
  FileDescriptor link_;
  std::string killed_because_;         // by us, for what it said or wrote
  std::optional<FrameReader> frames_;  // of the last process that was started
  std::uint64_t decoded_seen_{0};      // of that process
  std::optional<Time> picture_at_;
  std::optional<Time> stop_at_;
  CameraStats before_;  // all that earlier processes counted
  std::uint64_t taken_of_process_{0};
};

}  // namespace framefleet::producer
