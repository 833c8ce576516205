#pragma once
// The cameras of a producer, between their capture processes and the core: each is a source that
// comes and goes with the list of cameras; its newest frame becomes a task when the core wants one.
// A camera that stays as it is does not notice that the list was read again; one that changed is
// let go and opened anew, once its capture process has ended. Threads: the loop's.

#include "producer/cameras/camera.hpp"
#include "producer/core/submission.hpp"

#include "shared/telemetry/log.hpp"
#include "shared/transport/channel.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::producer {

/// Of one camera, for metrics.
struct CameraRow {
  std::string name;
  CameraState state{CameraState::connecting};
  CameraStats stats;
};

class LiveCameras {
 public:
  struct Changes {
    std::size_t added{0};
    std::size_t removed{0};
    std::size_t changed{0};
    std::size_t kept{0};
    /// "1 added, 2 removed, 0 changed, 5 kept"
    std::string text() const;
  };

  /// `program`: of capture_program(). `job`: that of their tasks.
  LiveCameras(std::string program, std::string job, telemetry::Logger& log)
      : program_(std::move(program)), job_(std::move(job)), log_(log) {}

  /// Whether every task of this camera can travel. Error: 78, what is too long.
  static Result<void, Error> check(const CameraOptions& options, const std::string& job);

  /// These are the cameras from now on.
  Changes apply(const std::vector<CameraOptions>& wanted, Submission& core, Time now, Effects& out);
  /// Does what is due, and gives the core the frames it wants.
  void turn(Submission& core, transport::PayloadStore& payloads, Time now, Effects& out);
  /// No frame any more: every capture process may go.
  void stop(Time now);

  std::vector<int> fds() const;
  Time next_deadline() const;
  bool empty() const { return cameras_.empty(); }
  /// The class of the camera that the core knows by this index; nothing: it is no camera.
  std::optional<TaskClass> class_of(std::size_t source) const;
  std::vector<CameraRow> rows(Time now) const;

 private:
  struct Running {
    std::unique_ptr<Camera> camera;
    std::size_t source;  // what the core knows it by
    std::uint64_t hash;
    std::uint32_t epoch;
    std::vector<std::string> detectors;  // names, what a task is routed by
    std::uint64_t frames{0};             // given to the core: the next sequence
    Time state_at;
  };

  void add(const CameraOptions& options, Submission& core, Time now);
  void let_go(Running& running, Submission& core, Time now, Effects& out);
  bool waits_for_another(const std::string& name) const;
  void tell(const std::string& name, const CameraNote& note);
  SubmittedTask task_of(Running& running, CapturedFrame frame,
                        transport::PayloadStore& payloads) const;

  std::string program_;
  std::string job_;
  telemetry::Logger& log_;
  std::map<std::string, Running> cameras_;
  std::vector<std::unique_ptr<Camera>> leaving_;  // their capture processes are not gone yet
  std::map<std::size_t, TaskClass> classes_;      // by the core's index
  std::map<std::string, std::uint32_t> epochs_;   // the last one of each name
};

}  // namespace framefleet::producer
