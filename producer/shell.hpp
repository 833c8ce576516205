#pragma once
// The producer's shell: reads pictures when the core asks for them and talks to the broker.

#include "producer/core/submission.hpp"
#include "producer/live_cameras.hpp"
#include "producer/options.hpp"
#include "producer/producer_metrics.hpp"
#include "producer/progress.hpp"
#include "producer/sources/plan.hpp"

#include "shared/telemetry/drain_watch.hpp"
#include "shared/telemetry/link_watch.hpp"
#include "shared/transport/channel.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::producer {

/// Reads the configuration again: the cameras that it now has, or what is wrong with it (78).
using ReadCameras = std::function<Result<std::vector<CameraOptions>, Error>()>;

class Shell {
 public:
  /// Plans the sources (and writes the manifest) before the network is touched. Errors: 64 no or
  /// wrong arguments, 66 nothing there, 69 the job is being worked on, 73 and 74 the manifest, 78
  /// the broker's address is none.
  /// `read_cameras`: what a SIGHUP, or an operator's wish, does.
  static Result<std::unique_ptr<Shell>, Error> open(ProducerOptions options,
                                                    telemetry::Program& program,
                                                    ReadCameras read_cameras);

  /// Until everything is confirmed, drained, or refused: 0, 3 if some failed, or the error.
  Result<int, Error> run();

 private:
  Shell(ProducerOptions options, telemetry::Program& program,
        std::unique_ptr<transport::Channel> channel, Plan plan,
        std::optional<transport::Frame> second, LiveCameras cameras, ReadCameras read_cameras);

  void receive_messages();
  void take_up_growth(Time now);
  Time look_at() const;
  void perform();  // one round
  void list(const ListSequences& wanted);
  void read_what_is_ready();
  void read(PictureRef ref);
  SubmittedTask task_of(PictureRef ref, Picture picture);
  void report(const TaskEnded& ended);
  void wait();
  Result<LiveCameras::Changes, Error> reload(Time now);
  void answer_reload(std::uint64_t asker, Time now);
  std::optional<std::uint64_t> pictures_in_all() const;
  Result<int, Error> ended(Time now);
  void publish(Time now);

  ProducerOptions options_;
  telemetry::Program& program_;
  std::unique_ptr<transport::Channel> channel_;
  Plan plan_;
  std::optional<transport::Frame> second_;
  std::vector<std::string> detect_;     // specs, as they travel in the description
  std::vector<std::string> detectors_;  // names, what a task is routed by
  Submission submission_;
  ProducerMetrics metrics_;
  Progress progress_;
  std::vector<std::size_t> growing_;  // indices of sources
  std::vector<PictureRef> unread_;    // that the core has asked for, in order
  telemetry::DrainWatch drain_;
  telemetry::LinkWatch link_watch_;
  LiveCameras cameras_;
  ReadCameras read_cameras_;
  std::uint64_t faults_{0};  // tasks that ended otherwise than they should
  Effects effects_;
  Time publish_at_{};
  bool source_broken_{false};
};

}  // namespace framefleet::producer
