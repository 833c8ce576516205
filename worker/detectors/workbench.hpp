#pragma once
// Where one thread works on one picture at a time: image gate and decode once, every detector of
// the task on the decoded picture, annotation if asked for, and the record of it all.
//
// One Workbench per thread; it keeps decoders, detectors and buffers warm between tasks and nothing
// of a picture. No exception leaves it: whatever went wrong is a WorkError with a reason for the
// broker and words for people.

#include "worker/decoding/decoder.hpp"
#include "worker/decoding/image_gate.hpp"
#include "worker/detectors/registry.hpp"
#include "worker/detectors/stage.hpp"

#include "shared/base/detection.hpp"
#include "shared/base/reason.hpp"
#include "shared/base/result.hpp"
#include "shared/base/task.hpp"
#include "shared/base/task_id.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace framefleet::worker {

/// Detectors of one task. A description that names more is refused.
inline constexpr std::size_t kDetectorsPerTaskMax = 16;
/// Detections of one task, all detectors together: with them a record stays under 4 MiB. More is an
/// error and never a silently shortened answer.
inline constexpr std::size_t kDetectionsPerTaskMax = 10'000;

struct WorkbenchOptions {
  ImageLimits limits;
  OtherDecoder others{nullptr};  ///< Of formats that the worker's own decoders do not know.
  DetectorSettings detectors;
};

struct Worked {
  ResultRecord record;
  std::vector<std::string> artefacts;  ///< Their bytes, in the order of record.artefacts.
};

struct WorkError {
  Reason reason{Reason::detector_error};
  std::string text;
};

class Workbench {
 public:
  explicit Workbench(WorkbenchOptions options = {});
  ~Workbench();
  Workbench(Workbench&&) noexcept;
  Workbench& operator=(Workbench&&) noexcept;

  /// `frames`: the task's payload; 0 is the picture, 1 (if any) the second picture that `blend`
  /// needs. An abandoned task comes back as Reason::drained.
  Result<Worked, WorkError> work(const TaskId& id, std::uint16_t attempt,
                                 const TaskDescription& task,
                                 std::span<const std::span<const std::byte>> frames,
                                 StageObserver& observer);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace framefleet::worker
