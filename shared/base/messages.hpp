#pragma once
// What framefleet's processes say to each other, as plain values: one struct per message of
// docs/PROTOCOL.md, with the same names. Cores take and emit these; shared/wire spells them as bytes;
// the simulator moves them as they are.
//
// Durations are relative to the moment of sending or receiving; no point in time ever travels.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "shared/base/reason.hpp"
#include "shared/base/strong_id.hpp"
#include "shared/base/task.hpp"
#include "shared/base/task_id.hpp"
#include "shared/base/time.hpp"

namespace framefleet {

/// The payload frames that belong to one entry of a message. The id is local to the process that holds
/// the frames (0: none); on the wire the frames follow the header in the order of the entries.
struct Payload {
  PayloadId id{};
  std::uint8_t frames{0};
  std::uint64_t bytes{0};

  friend bool operator==(const Payload&, const Payload&) = default;
};

enum class Role : std::uint8_t { producer, worker, sink, client };
std::string_view to_string(Role role);

struct VersionRange {
  std::uint16_t min{1};
  std::uint16_t max{1};
  friend bool operator==(const VersionRange&, const VersionRange&) = default;
};

/// What this build speaks (docs/PROTOCOL.md, "Versions").
inline constexpr VersionRange kWireVersions{1, 1};
inline constexpr VersionRange kTaskVersions{1, 1};
/// The highest version that both ranges hold; 0 when there is none.
constexpr std::uint16_t common_version(VersionRange ours, VersionRange theirs) {
  const std::uint16_t highest = ours.max < theirs.max ? ours.max : theirs.max;
  return highest >= ours.min && highest >= theirs.min ? highest : std::uint16_t{0};
}

/// "I own this source": made by a producer in its hello.
struct SourceClaim {
  std::string name;  ///< 1 to 256 bytes of UTF-8.
  std::uint32_t epoch{0};
  friend bool operator==(const SourceClaim&, const SourceClaim&) = default;
};

// --- connection ---------------------------------------------------------------------------------

/// First message of every connection, peer → broker.
struct Hello {
  Role role{Role::client};
  std::string name;   ///< For people and logs; need not be unique.
  std::string build;  ///< Version of the program.
  VersionRange wire;
  VersionRange task;                   ///< Versions of the task description it writes or reads.
  std::vector<std::string> detectors;  ///< worker: what it can run.
  std::uint32_t slots{0};              ///< worker: how many tasks it can run at once.
  std::vector<SourceClaim> sources;    ///< producer.
  std::string store;                   ///< sink: UUID of its store.
  friend bool operator==(const Hello&, const Hello&) = default;
};

/// The broker takes the peer in.
struct Welcome {
  std::uint16_t wire{1};  ///< The version both will speak.
  std::uint32_t incarnation{0};
  Duration heartbeat_interval{};
  Duration peer_timeout{};
  std::uint64_t grant_tasks{0};  ///< producer: submitted and not yet answered, at most.
  std::uint64_t grant_bytes{0};
  std::uint64_t payload_bytes_max{0};  ///< Of one task, all its frames together.
  friend bool operator==(const Welcome&, const Welcome&) = default;
};

/// The broker does not take the peer in; it closes after this.
struct Refused {
  Reason reason{Reason::none};
  std::string text;
  Duration retry{};  ///< 0: do not come back.
  friend bool operator==(const Refused&, const Refused&) = default;
};

/// Both ways, every heartbeat_interval. A lease lives on only while its worker lists it here.
struct Heartbeat {
  std::uint32_t incarnation{0};
  std::vector<LeaseId> leases;
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

/// "I leave" and the answer to it; after the answer neither side sends anything more.
struct Goodbye {
  friend bool operator==(const Goodbye&, const Goodbye&) = default;
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
  std::string digest;                  ///< Of the payload, opaque, 0 to 32 bytes; "" is never compared.
  std::string task;                    ///< TaskDescription as the submitter encoded it.
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
  std::string token;
  Duration elapsed{};  ///< From the start of work to its end, in the worker.
  Payload payload;
  friend bool operator==(const TaskResult&, const TaskResult&) = default;
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
/// Worker → broker: hand me nothing more; I finish what I have and leave.
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

using Message = std::variant<Hello, Welcome, Refused, Heartbeat, Goodbye, Submit, Admitted, Busy,
                             Rejected, Settled, Ask, Known, Assign, TaskResult, Nack, Release, Stale,
                             Drain, Outcomes, Stored>;

/// Calls `visit(Payload&)` for each entry of the message that can carry payload frames, in the order in
/// which their frames travel.
template <class AnyMessage, class Visit>
void for_each_payload(AnyMessage& message, Visit visit) {
  if (auto* submit = std::get_if<Submit>(&message)) {
    for (auto& task : submit->tasks) visit(task.payload);
  } else if (auto* assign = std::get_if<Assign>(&message)) {
    for (auto& task : assign->tasks) visit(task.payload);
  } else if (auto* result = std::get_if<TaskResult>(&message)) {
    visit(result->payload);
  } else if (auto* outcomes = std::get_if<Outcomes>(&message)) {
    for (auto& outcome : outcomes->outcomes) visit(outcome.payload);
  }
}

/// The name of a message on the wire ("hello", "submit", …).
std::string_view name_of(const Message& message);

}  // namespace framefleet
