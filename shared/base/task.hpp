#pragma once
// What is to be done with one picture: the words that submitters, brokers and workers share.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet {

/// batch: every picture, at least once, back-pressure. live: the newest frame of a source, or none.
enum class TaskClass : std::uint8_t { batch, live };

/// What a task ended as.
enum class Status : std::uint8_t { ok, failed, expired, superseded, cancelled, lost };
inline constexpr std::size_t kStatusCount = 6;

std::string_view to_string(TaskClass task_class);
std::string_view to_string(Status status);

/// The submitter's own description of a task. The broker forwards it byte for byte and never reads
/// it; worker and sink do. Encoded by shared/wire (`task` versions in docs/PROTOCOL.md).
struct TaskDescription {
  std::string origin;  ///< Where the picture came from, for people: a path, "a.avi#12".
  std::vector<std::string> detect;  ///< Detectors with options: "faces?min_size=40&scale=1.1".
  bool annotate{false};             ///< Draw the detections and return the picture.
  std::int64_t captured_at_ms{0};   ///< Wall clock (Unix, ms) at capture; for people only.
  std::string unreadable;  ///< Why the submitter could not read the picture; then no payload.
  std::string zones;       ///< JSON of the submitter's own, passed along; "": none.

  friend bool operator==(const TaskDescription&, const TaskDescription&) = default;
};

}  // namespace framefleet
