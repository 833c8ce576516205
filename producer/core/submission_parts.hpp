#pragma once
// What the producer's core is told at its start and of its sources, and what it counts. Plain
// values.

#include "shared/base/link.hpp"
#include "shared/base/messages.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace framefleet::producer {

enum class Confirm : std::uint8_t { admitted, stored };

struct SubmissionOptions {
  Confirm confirm{Confirm::stored};
  /// Ask what is stored before anything is read: for runs that may have been interrupted. Live
  /// sources are not asked about.
  bool ask_first{false};
  /// Batch tasks read and not yet confirmed, at most; 0: by the size of the fleet
  /// (window_for()). A live source has its own, far smaller one.
  std::uint64_t window_tasks{0};
  /// When this many payload bytes are held here no more batch pictures are read; up to four that
  /// are being read by then come on top, because a size is known only afterwards.
  std::uint64_t window_bytes{std::uint64_t{64} << 20U};
  LinkOptions link;
};

/// Of sixteen thousand slots: a larger number is a typing error.
inline constexpr std::uint64_t kWindowTasksMax = 65'536;

/// The window for a fleet whose workers have so many slots in all. Of each slot's four pictures one
/// is worked on, one waits in its worker, and as many are being read or stored. A smaller window
/// leaves slots idle; a larger one makes nothing faster, and whoever interrupts the producer waits
/// for it.
constexpr std::uint64_t window_for(std::uint64_t slots) {
  constexpr std::uint64_t kOfSlot = 4;
  constexpr std::uint64_t kAtLeast = 64;
  return std::clamp(std::min(slots, kWindowTasksMax) * kOfSlot, kAtLeast, kWindowTasksMax);
}

/// What the core knows of a source.
struct SourceOutline {
  std::string name;
  std::uint64_t hash{0};
  std::uint32_t epoch{0};
  Duration interval{};  ///< Between two pictures; 0: as fast as accepted.
  TaskClass task_class{TaskClass::batch};
  bool may_grow{false};  ///< Until more() says that it does no longer.
};

/// How a camera is, for the broker's tables.
struct CameraCondition {
  std::string state;
  std::string text;  ///< Why.
  Time since{};
  friend bool operator==(const CameraCondition&, const CameraCondition&) = default;
};

struct SubmissionStats {
  std::uint64_t submitted{0};  ///< Answered submits: admitted + rejected. An id counts once.
  std::uint64_t admitted{0};
  std::uint64_t rejected{0};
  std::array<std::uint64_t, kStatusCount> settled{};
  std::uint64_t stored_before{0};  ///< Done by an earlier run.
  std::uint64_t skipped{0};        ///< Live, read, and never submitted: a newer one took its place.
  std::uint64_t in_flight{0};      ///< Read and not yet confirmed.
  std::uint64_t held_bytes{0};
  std::uint64_t busy_answers{0};
  std::uint64_t sources_reading{0};  ///< That may have more pictures.
  std::uint64_t sources_ended{0};
  std::uint64_t link_losses{0};
  bool link_up{false};
  bool draining{false};
};

}  // namespace framefleet::producer
