#pragma once
// What the dispatcher wants done: its only output. The shell performs them in order.

#include "shared/base/effects.hpp"
#include "shared/base/journal_records.hpp"
#include "shared/base/time.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace framefleet::broker {

struct SendTo {
  PeerId peer;
  Message message;
  Duration can_wait{};  ///< For company: for what is said to this peer next. 0: say it at once.
  friend bool operator==(const SendTo&, const SendTo&) = default;
};
/// What waits for company on its way to this peer is to be said now.
struct SayHeld {
  PeerId peer;
  friend bool operator==(const SayHeld&, const SayHeld&) = default;
};
/// The peer is not one of us any more: forget its route and what waits for it.
struct ForgetPeer {
  PeerId peer;
  friend bool operator==(const ForgetPeer&, const ForgetPeer&) = default;
};
/// For the histograms: a hand-out ended (`reason` none: with a result, on which was `worked`).
struct LeaseClosed {
  TaskId task;
  Reason reason{Reason::none};
  Duration queued{};
  Duration leased{};
  Duration worked{};
  friend bool operator==(const LeaseClosed&, const LeaseClosed&) = default;
};
/// For the counters and histograms: a task is settled, `total` after its admission and `storing`
/// after its end (0: the store had it before).
struct TaskSettled {
  TaskId task;
  Status status{Status::ok};
  Reason reason{Reason::none};
  Duration total{};
  Duration storing{};
  friend bool operator==(const TaskSettled&, const TaskSettled&) = default;
};
/// An operator asks to be shown something: send a Report with the document (status.hpp).
struct Show {
  PeerId peer;
  std::uint64_t asker{0};
  ControlVerb what{ControlVerb::status};  ///< status, workers, sources, jobs or drain_idlest.
  std::string text{};                     ///< Of the report: what was done.
  std::vector<std::string> names{};       ///< drain_idlest: the workers that will leave.
  friend bool operator==(const Show&, const Show&) = default;
};
/// Everything that was expected of a job is settled or rejected: one line for the log.
struct JobEnded {
  std::string job;
  friend bool operator==(const JobEnded&, const JobEnded&) = default;
};
/// The alarm that workers die one after the other begins or ends.
struct WorkersDying {
  bool on{false};
  std::uint64_t died{0};  ///< Within the last minute.
  friend bool operator==(const WorkersDying&, const WorkersDying&) = default;
};
/// For the journal, in this order and with changed_books(): the task is there, with its payload.
struct WriteTask {
  JournaledTask task;
  Payload payload;  ///< Held until the task is storing: copy or keep the frames now.
  friend bool operator==(const WriteTask&, const WriteTask&) = default;
};
/// Its payload is there already; its history is a longer one.
struct WriteAttempt {
  JournaledTask task;
  friend bool operator==(const WriteAttempt&, const WriteAttempt&) = default;
};
/// It is settled: forget it.
struct WriteEnd {
  TaskId task;
  friend bool operator==(const WriteEnd&, const WriteEnd&) = default;
};
/// After drain(): nothing is in progress and everybody has been told. The shell may stop.
struct Drained {
  friend bool operator==(const Drained&, const Drained&) = default;
};

using Effect =
    std::variant<SendTo, SayHeld, ForgetPeer, ReleasePayload, LeaseClosed, TaskSettled, Show,
                 JobEnded, WorkersDying, WriteTask, WriteAttempt, WriteEnd, Drained>;
using Effects = std::vector<Effect>;

}  // namespace framefleet::broker
