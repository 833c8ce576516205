#include "producer/live_cameras.hpp"

#include "shared/base/assert.hpp"
#include "shared/base/detector_list.hpp"
#include "shared/security/digest.hpp"
#include "shared/telemetry/monotonic.hpp"
#include "shared/wire/codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <utility>

namespace framefleet::producer {
namespace {

TaskDescription description_of(const CameraOptions& options, std::uint64_t sequence,
                               std::int64_t captured_at_ms) {
  TaskDescription description;
  description.origin = fmt::format("{}#{}", options.name, sequence);
  description.detect = options.detect;
  description.annotate = options.annotate;
  description.captured_at_ms = std::clamp<std::int64_t>(captured_at_ms, 0, wire::kWallClockMsMax);
  description.zones = options.zones;
  return description;
}

Duration interval_of(const CameraOptions& options) {
  if (options.fps <= 0) return {};
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1.0 / options.fps));
}

/// How the core tells it to the broker.
CameraCondition condition_of(const Camera& camera, Time since) {
  return {std::string(to_string(camera.state())),
          camera.reason().substr(0, wire::kStateTextBytesMax), since};
}

}  // namespace

std::string LiveCameras::Changes::text() const {
  return fmt::format("{} added, {} removed, {} changed, {} kept", added, removed, changed, kept);
}

Result<void, Error> LiveCameras::check(const CameraOptions& options, const std::string& job) {
  const auto too_long = [&options](const std::string& what) {
    return fail(
        Error{fmt::format("camera \"{}\": its task is too long to travel: {}", options.name, what),
              exit_code::kConfig});
  };
  auto encoded = wire::encode_task(
      description_of(options, ~std::uint64_t{0}, static_cast<std::int64_t>(wire::kWallClockMsMax)));
  if (!encoded) return too_long(encoded.error().text);
  SubmittedTask task;
  task.source = options.name;
  task.job = job;
  task.detectors = detector_names(options.detect);
  task.ttl = options.ttl;
  task.priority = options.priority;
  task.digest.assign(wire::kDigestBytesMax, 'x');
  task.task = std::move(*encoded);
  if (auto sendable = transport::check_sendable(Submit{{std::move(task)}}); !sendable) {
    return too_long(sendable.error().text);
  }
  return {};
}

LiveCameras::Changes LiveCameras::apply(const std::vector<CameraOptions>& wanted, Submission& core,
                                        Time now, Effects& out) {
  Changes changes;
  std::set<std::string> names;
  for (const auto& options : wanted) names.insert(options.name);
  for (auto position = cameras_.begin(); position != cameras_.end();) {
    const auto current = position++;
    if (names.contains(current->first)) continue;
    let_go(current->second, core, now, out);
    cameras_.erase(current);
    ++changes.removed;
  }
  for (const auto& options : wanted) {
    const auto known = cameras_.find(options.name);
    if (known == cameras_.end()) {
      add(options, core, now);
      ++changes.added;
    } else if (known->second.camera->options() == options) {
      ++changes.kept;
    } else {
      let_go(known->second, core, now, out);
      cameras_.erase(known);
      add(options, core, now);
      ++changes.changed;
    }
  }
  return changes;
}

void LiveCameras::add(const CameraOptions& options, Submission& core, Time now) {
  // Later than every epoch of this name before, also within one second.
  auto& last = epochs_[options.name];
  last = std::max(static_cast<std::uint32_t>(telemetry::wall_clock_ms() / 1000), last + 1);
  const auto hash = security::source_hash(options.name);
  const auto source = core.add_camera({.name = options.name,
                                       .epoch = last,
                                       .weight = options.weight,
                                       .interval = interval_of(options),
                                       .hash = hash},
                                      options.task_class);
  classes_[source] = options.task_class;
  Running running{.camera = std::make_unique<Camera>(options, program_, now),
                  .source = source,
                  .hash = hash,
                  .epoch = last,
                  .detectors = detector_names(options.detect),
                  .state_at = now};
  core.set_condition(source, condition_of(*running.camera, now));
  cameras_.emplace(options.name, std::move(running));
  log_.info("camera_added", {{"camera", options.name}, {"url", options.url.redacted()}});
}

void LiveCameras::let_go(Running& running, Submission& core, Time now, Effects& out) {
  const auto& name = running.camera->options().name;
  log_.info("camera_removed", {{"camera", name}, {"frames", running.frames}});
  core.remove_camera(running.source, out);
  running.camera->stop(now);
  leaving_.push_back(std::move(running.camera));
}

/// Many cameras serve one connection at a time.
bool LiveCameras::waits_for_another(const std::string& name) const {
  return std::ranges::any_of(
      leaving_, [&name](const auto& camera) { return camera->options().name == name; });
}

void LiveCameras::turn(Submission& core, transport::PayloadStore& payloads, Time now,
                       Effects& out) {
  for (auto& camera : leaving_) camera->perform(now);
  std::erase_if(leaving_, [](const auto& camera) { return camera->stopped(); });
  for (auto& [name, running] : cameras_) {
    if (waits_for_another(name)) continue;
    for (const auto& note : running.camera->perform(now)) {
      if (std::holds_alternative<StateChanged>(note)) running.state_at = now;
      tell(name, note);
    }
    core.set_condition(running.source, condition_of(*running.camera, running.state_at));
    if (!core.wants_frame(running.source, now)) continue;
    auto frame = running.camera->take_newest(now);
    if (!frame) continue;
    const PictureRef ref{running.source, running.frames};
    auto task = task_of(running, std::move(*frame), payloads);
    core.picture(ref, std::move(task), now, out);
  }
}

void LiveCameras::tell(const std::string& name, const CameraNote& note) {
  if (const auto* changed = std::get_if<StateChanged>(&note)) {
    const bool is_well = changed->to == CameraState::streaming || changed->reason.empty();
    log_.log(is_well ? telemetry::LogLevel::info : telemetry::LogLevel::warn, "camera_state",
             std::array<telemetry::LogField, 4>{{{"camera", name},
                                                 {"from", to_string(changed->from)},
                                                 {"to", to_string(changed->to)},
                                                 {"reason", changed->reason}}});
  } else if (const auto* retry = std::get_if<RetryPlanned>(&note)) {
    log_.info("camera_retry", {{"camera", name},
                               {"reason", retry->reason},
                               {"failures", std::uint64_t{retry->failures}},
                               {"pause", retry->pause}});
  }
}

SubmittedTask LiveCameras::task_of(Running& running, CapturedFrame frame,
                                   transport::PayloadStore& payloads) const {
  const auto& options = running.camera->options();
  const auto sequence = running.frames++;
  std::vector<transport::Frame> frames;
  frames.push_back(transport::Frame::of(std::move(frame.bytes)));
  const std::array bytes{frames.front().bytes()};
  SubmittedTask task;
  task.id = {running.hash, running.epoch, sequence, 0};
  task.source = options.name;
  task.job = job_;
  task.task_class = options.task_class;
  task.priority = options.priority;
  task.detectors = running.detectors;
  task.ttl = options.ttl;
  task.digest = security::payload_digest(bytes);
  auto encoded = wire::encode_task(description_of(options, sequence, frame.captured_at_ms));
  FRAMEFLEET_ASSERT(encoded.has_value());  // check() has seen it
  task.task = std::move(*encoded);
  task.payload = payloads.put(std::move(frames));
  return task;
}

void LiveCameras::stop(Time now) {
  for (auto& [name, running] : cameras_) running.camera->stop(now);
}

std::vector<int> LiveCameras::fds() const {
  std::vector<int> all;
  const auto add = [&all](const Camera& camera) {
    for (const int fd : camera.fds()) all.push_back(fd);
  };
  for (const auto& [name, running] : cameras_) add(*running.camera);
  for (const auto& camera : leaving_) add(*camera);
  return all;
}

Time LiveCameras::next_deadline() const {
  Time next = kNever;
  for (const auto& camera : leaving_) next = std::min(next, camera->next_deadline());
  for (const auto& [name, running] : cameras_) {
    if (!waits_for_another(name)) next = std::min(next, running.camera->next_deadline());
  }
  return next;
}

std::optional<TaskClass> LiveCameras::class_of(std::size_t source) const {
  const auto found = classes_.find(source);
  return found == classes_.end() ? std::nullopt : std::optional{found->second};
}

std::vector<CameraRow> LiveCameras::rows(Time now) const {
  std::vector<CameraRow> rows;
  for (const auto& [name, running] : cameras_) {
    rows.push_back({name, running.camera->state(), running.camera->stats(now)});
  }
  return rows;
}

}  // namespace framefleet::producer
