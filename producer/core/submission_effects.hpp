#pragma once
// What the producer's core asks its shell to do, and tells it for reports. Plain values.

#include "shared/base/link.hpp"
#include "shared/base/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace framefleet::producer {

/// Where a picture stands: index of the source in the order given to the core, and its sequence
/// there.
struct PictureRef {
  std::size_t source{0};
  std::uint64_t sequence{0};
  friend auto operator<=>(const PictureRef&, const PictureRef&) = default;
};

/// Call listed() with the next sequences of the source, from `from` on, at most `count`.
struct ListSequences {
  std::size_t source{0};
  std::uint64_t from{0};
  std::uint64_t count{0};
  friend bool operator==(const ListSequences&, const ListSequences&) = default;
};
/// Read this picture, then call picture() or no_picture().
struct ReadPicture {
  PictureRef ref;
  friend bool operator==(const ReadPicture&, const ReadPicture&) = default;
};
/// The end of a task, for reports. `description`: what was submitted as `task`; empty if it was
/// stored before this producer began.
struct TaskEnded {
  PictureRef ref;
  SettledTask settled;
  bool rejected{false};
  std::string description;
  Duration total{};  ///< Since its picture was read; 0: that was not by this producer.
  friend bool operator==(const TaskEnded&, const TaskEnded&) = default;
};

/// For the histograms: so long after a picture was read the broker said that it is admitted, or
/// that it has ended already.
struct TaskAdmitted {
  Duration after{};
  friend bool operator==(const TaskAdmitted&, const TaskAdmitted&) = default;
};

/// An operator wants the cameras read again: send a Report with this number.
struct ReloadAsked {
  std::uint64_t asker{0};
  friend bool operator==(const ReloadAsked&, const ReloadAsked&) = default;
};

using Effect = std::variant<Dial, HangUp, Send, ListSequences, ReadPicture, ReleasePayload,
                            TaskAdmitted, TaskEnded, ReloadAsked>;
using Effects = std::vector<Effect>;

}  // namespace framefleet::producer
