#pragma once
// The one table of reasons: why something was refused, given back, or ended as it did. Wire,
// metrics, store and docs/PROTOCOL.md use the same words; a test compares the document with this
// table.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace framefleet {

enum class Reason : std::uint8_t {
  none,
  // The picture itself (a nack for one of these ends the task at its first attempt).
  unreadable,
  empty_picture,
  not_a_picture,
  too_large_picture,
  undecodable,
  // Work that went wrong (retried with back-off while attempts are left).
  detector_error,
  decode_timeout,
  detect_timeout,
  child_crashed,
  worker_lost,
  lease_expired,
  // A task's task description cannot be carried out by this fleet (final).
  bad_description,
  no_worker,
  // Given back unharmed; charged to no counter.
  drained,
  // Why a task ended although nobody refused it.
  deadline_passed,
  newer_frame,
  cancelled_by_operator,
  broker_restarted,
  journal_damaged,
  unaccounted,
  // `busy`: not now, try again.
  backlog_tasks,
  backlog_bytes,
  backlog_routes,
  source_share,
  peer_share,
  key_task_rate,
  key_byte_rate,
  key_unsettled,
  key_share,
  grant_exceeded,
  sink_slow,
  journal_full,
  draining,
  // `reject`: never.
  malformed,
  too_large_payload,
  conflict,
  not_owner,
  // `refused`: the answer to a hello.
  wire_version,
  task_version,
  stale_epoch,
  standby,
  other_store,
  wrong_role,
  foreign_source,
  // The answer to an operator (`report`).
  not_permitted,
  not_found,
  no_sink,
  bad_configuration,
  no_audit,
};
inline constexpr std::size_t kReasonCount = 50;

/// What a nack, a loss or a time-out for this reason does to the task.
enum class Charge : std::uint8_t {
  nothing,  ///< The task goes back to the front of its source, no attempt is used.
  failed,   ///< Uses one of `failed_attempts_max`.
  lost,     ///< Uses one of `lost_attempts_max`.
  final,    ///< Ends the task as `failed` at once.
  answer,   ///< Not about an attempt at all: an answer to a peer, or the reason of an outcome.
};

struct ReasonEntry {
  Reason reason;
  std::string_view code;  ///< On the wire, in the store, as the metric label `reason`.
  Charge charge;
  std::string_view text;  ///< For people.
};

const std::array<ReasonEntry, kReasonCount>& reason_table();
const ReasonEntry& entry(Reason reason);
std::string_view to_string(Reason reason);
std::optional<Reason> parse_reason(std::string_view code);

}  // namespace framefleet
