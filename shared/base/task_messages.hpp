#pragma once
// The messages in which tasks travel: submitted, assigned, answered, stored (docs/PROTOCOL.md).
// Plain values; durations are relative to the moment of sending or receiving.

#include "shared/base/reason.hpp"
#include "shared/base/strong_id.hpp"
#include "shared/base/task.hpp"
#include "shared/base/task_id.hpp"
#include "shared/base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet {

/// The payload frames that belong to one entry of a message. The id is local to the process that
/// holds the frames (0: none); on the wire the frames follow the header in the order of the
/// entries.
struct Payload {
  PayloadId id{};
  std::uint8_t frames{0};
  std::uint64_t bytes{0};

  friend bool operator==(const Payload&, const Payload&) = default;
};

// --- submitting ---------------------------------------------------------------------------------

struct SubmittedTask {
  TaskId id;
  std::string source;
  std::string job;  ///< May be empty.
  TaskClass task_class{TaskClass::batch};
  std::uint8_t priority{0};            ///< 0 (lowest) to 9.
  std::vector<std::string> detectors;  ///< Names alone: what routing needs. Sorted, no repeats.
  Duration ttl{};                      ///< 0: none.
  std::string digest;  ///< Of the payload, opaque, 0 to 32 bytes; "" is never compared.
  std::string task;    ///< TaskDescription as the submitter encoded it.
  std::optional<TaskId> revived_from;  ///< The failed task that this one tries again.
  bool gone{false};  ///< A broker forgot it and its picture is no more: it ends as `lost`.
  Payload payload;
  friend bool operator==(const SubmittedTask&, const SubmittedTask&) = default;
};
struct Submit {
  std::vector<SubmittedTask> tasks;
  friend bool operator==(const Submit&, const Submit&) = default;
};

struct AdmittedTask {
  TaskId id;
  bool durable{false};  ///< A disk has it.
  friend bool operator==(const AdmittedTask&, const AdmittedTask&) = default;
};
struct Admitted {
  std::vector<AdmittedTask> tasks;
  std::vector<std::string> unknown_detectors;  ///< Named by these and by no worker ever.
  friend bool operator==(const Admitted&, const Admitted&) = default;
};

/// Not admitted: keep it and send it again after `retry`.
struct Busy {
  std::vector<TaskId> tasks;
  Reason reason{Reason::none};
  Duration retry{};
  friend bool operator==(const Busy&, const Busy&) = default;
};

struct RejectedTask {
  TaskId id;
  Reason reason{Reason::none};
  std::string text;
  friend bool operator==(const RejectedTask&, const RejectedTask&) = default;
};
struct Rejected {
  std::vector<RejectedTask> tasks;
  friend bool operator==(const Rejected&, const Rejected&) = default;
};

/// How a task ended, as the store has it. Goes to the submitter and to the worker that did it.
struct SettledTask {
  TaskId id;
  Status status{Status::ok};
  Reason reason{Reason::none};
  std::string text;
  friend bool operator==(const SettledTask&, const SettledTask&) = default;
};
struct Settled {
  std::vector<SettledTask> tasks;
  friend bool operator==(const Settled&, const Settled&) = default;
};

/// "Which of these are stored?" producer → broker → sink, before anything is submitted again.
struct Ask {
  std::uint64_t asker{0};  ///< Set by the broker, returned by the sink.
  std::vector<TaskId> tasks;
  friend bool operator==(const Ask&, const Ask&) = default;
};
/// The answer: `stored` with their outcomes, and the rest.
struct Known {
  std::uint64_t asker{0};
  std::vector<SettledTask> stored;
  std::vector<TaskId> unknown;
  friend bool operator==(const Known&, const Known&) = default;
};

// --- working ------------------------------------------------------------------------------------

struct AssignedTask {
  TaskId id;
  LeaseId lease;
  std::uint16_t attempt{1};  ///< 1, 2, …: how often the task has been handed out.
  Duration lease_duration{};
  Duration ttl_left{};  ///< 0: none.
  Duration age{};       ///< Since the broker got it.
  std::string token;    ///< Returned with the result; proves the lease was given to this worker.
  std::string source;
  TaskClass task_class{TaskClass::batch};
  std::string task;
  Payload payload;
  friend bool operator==(const AssignedTask&, const AssignedTask&) = default;
};
struct Assign {
  std::vector<AssignedTask> tasks;
  friend bool operator==(const Assign&, const Assign&) = default;
};

/// The work is done. Payload frame 0 is the ResultRecord, the others are its artefacts.
struct TaskResult {
  TaskId id;
  LeaseId lease;
  std::string token;   ///< Empty in a broker: it proves nothing, being another broker's.
  Duration elapsed{};  ///< From the start of work to its end, in the worker.
  Payload payload;
  friend bool operator==(const TaskResult&, const TaskResult&) = default;
};
/// What a worker has ended at one moment.
struct Results {
  std::vector<TaskResult> tasks;
  friend bool operator==(const Results&, const Results&) = default;
};

/// The worker could not do it.
struct Nack {
  TaskId id;
  LeaseId lease;
  Reason reason{Reason::none};
  std::string text;
  friend bool operator==(const Nack&, const Nack&) = default;
};

struct LeasedTask {
  TaskId id;
  LeaseId lease;
  friend bool operator==(const LeasedTask&, const LeasedTask&) = default;
};
/// The worker gives tasks back that it did not start.
struct Release {
  std::vector<LeasedTask> tasks;
  friend bool operator==(const Release&, const Release&) = default;
};
/// The broker knows another lease for the task, or none: what the worker sent closes nothing.
struct Stale {
  std::vector<LeasedTask> tasks;
  friend bool operator==(const Stale&, const Stale&) = default;
};
/// Broker → worker: give these back, those that you have not started. Answered by `release`; for
/// what is started it means nothing.
struct Recall {
  std::vector<LeasedTask> tasks;
  friend bool operator==(const Recall&, const Recall&) = default;
};
/// Worker → broker: hand me nothing more; I finish what I have and leave. Broker → worker: do so.
struct Drain {
  friend bool operator==(const Drain&, const Drain&) = default;
};

// --- storing ------------------------------------------------------------------------------------

/// One hand-out of a task that did not end it.
struct AttemptRecord {
  std::uint16_t attempt{0};
  std::string worker;
  Reason reason{Reason::none};
  std::string text;
  friend bool operator==(const AttemptRecord&, const AttemptRecord&) = default;
};

struct Outcome {
  TaskId id;
  std::string source;
  std::string job;
  TaskClass task_class{TaskClass::batch};
  Status status{Status::ok};
  Reason reason{Reason::none};
  std::string text;
  std::uint16_t attempts{0};           ///< How often the task was handed out.
  std::vector<AttemptRecord> history;  ///< The latest 16.
  std::string worker;                  ///< Name of the worker that ended it; "" if none did.
  std::string build;                   ///< Its build.
  Duration queued{};                   ///< From admission to the last hand-out (or to the end).
  Duration leased{};                   ///< From the last hand-out to its end.
  Duration worked{};                   ///< TaskResult::elapsed.
  std::string task;                    ///< The submitter's description, byte for byte.
  std::optional<TaskId> revived_from;  ///< As submitted.
  Payload payload;  ///< ok: record and artefacts; failed: the picture's bytes; else none.
  friend bool operator==(const Outcome&, const Outcome&) = default;
};
struct Outcomes {
  std::vector<Outcome> outcomes;
  friend bool operator==(const Outcomes&, const Outcomes&) = default;
};

/// These are committed (or were before): what the store has under each id.
struct Stored {
  std::vector<SettledTask> tasks;
  friend bool operator==(const Stored&, const Stored&) = default;
};

}  // namespace framefleet
