#pragma once
// What the dispatcher wants done: its only output. The shell performs them in order.

#include "shared/base/effects.hpp"

#include <variant>
#include <vector>

namespace framefleet::broker {

struct SendTo {
  PeerId peer;
  Message message;
  friend bool operator==(const SendTo&, const SendTo&) = default;
};
/// The peer is not one of us any more: forget its route and what waits for it.
struct ForgetPeer {
  PeerId peer;
  friend bool operator==(const ForgetPeer&, const ForgetPeer&) = default;
};
/// For the histograms: a hand-out ended (`reason` none: with a result).
struct LeaseClosed {
  Reason reason{Reason::none};
  Duration queued{};
  Duration leased{};
  friend bool operator==(const LeaseClosed&, const LeaseClosed&) = default;
};
/// For the counters and histograms: a task is settled, `total` after its admission.
struct TaskSettled {
  Status status{Status::ok};
  Reason reason{Reason::none};
  Duration total{};
  friend bool operator==(const TaskSettled&, const TaskSettled&) = default;
};
/// After drain(): nothing is in progress and everybody has been told. The shell may stop.
struct Drained {
  friend bool operator==(const Drained&, const Drained&) = default;
};

using Effect = std::variant<SendTo, ForgetPeer, ReleasePayload, LeaseClosed, TaskSettled, Drained>;
using Effects = std::vector<Effect>;

}  // namespace framefleet::broker
