#pragma once
// What worker, zygote and children say to each other, as bytes and back. All three are of the same
// build, so there are no versions; but a child has touched strangers' pictures, and nothing that
// it says is believed: every decoder here checks every length and every word.

#include "worker/detectors/stage.hpp"
#include "worker/detectors/workbench.hpp"

#include "shared/base/reason.hpp"
#include "shared/base/task.hpp"
#include "shared/base/task_id.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace framefleet::worker {

// --- worker to zygote ---------------------------------------------------------------------------

/// First and once: how to work. Beside it the parcel of the models.
struct Setup {
  ImageLimits limits;
  std::string cascade_folder;
  std::vector<std::uint64_t> model_bytes;  ///< Of the frames in the parcel (model_wire.hpp).
  std::vector<std::string> detectors;      ///< To be warm before the first child is born.
  std::uint64_t memory_max{0};  ///< Bytes a child may take on top of what it is born with.
};
/// Bear a child. Two files beside it: its end of the conversation, and its answer sheet.
struct Bear {
  std::uint64_t serial{0};
};
using ToZygote = std::variant<Setup, Bear>;

// --- zygote to worker ---------------------------------------------------------------------------

/// Beside it the child's pidfd. `pid` 0 (and no file): the system has no process to give.
struct Born {
  std::uint64_t serial{0};
  std::int32_t pid{0};
};
struct Died {
  std::uint64_t serial{0};
  std::int32_t status{0};  ///< As waitpid gives it.
};
using FromZygote = std::variant<Born, Died>;

// --- worker to child ----------------------------------------------------------------------------

/// Beside it the parcel with the frames.
struct Order {
  std::uint64_t ticket{0};
  TaskId id;
  std::uint16_t attempt{1};
  TaskDescription task;
  std::vector<std::uint64_t> frame_bytes;
};
struct Abandon {
  std::uint64_t ticket{0};
};
using ToChild = std::variant<Order, Abandon>;

// --- child to worker ----------------------------------------------------------------------------

/// In the sandbox, and waiting for the first order.
struct Ready {};
struct Entered {
  Stage stage{Stage::decode};
  std::string detector;  ///< In Stage::detect.
};
/// How the child is, for the metrics: as it says.
struct Vitals {
  std::uint64_t denied{0};       ///< System calls that the sandbox refused, ever.
  std::uint64_t memory_peak{0};  ///< Bytes resident at most, ever.
};
/// The answer sheet holds the record and the artefacts, of these sizes, one after the other.
struct Finished {
  std::vector<std::uint64_t> part_bytes;
  Vitals vitals;
};
struct Failed {
  Reason reason{Reason::detector_error};
  std::string text;
  Vitals vitals;
};
using FromChild = std::variant<Ready, Entered, Finished, Failed>;

std::string encode(const ToZygote& message);
std::string encode(const FromZygote& message);
/// Nothing: the task description may not travel (over a limit of the wire).
std::optional<std::string> encode(const ToChild& message);
std::string encode(const FromChild& message);

std::optional<ToZygote> decode_to_zygote(std::string_view bytes);
std::optional<FromZygote> decode_from_zygote(std::string_view bytes);
std::optional<ToChild> decode_to_child(std::string_view bytes);
/// Reasons are those that a worker may give for a failed attempt, no others.
std::optional<FromChild> decode_from_child(std::string_view bytes);

}  // namespace framefleet::worker
