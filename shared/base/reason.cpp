#include "shared/base/reason.hpp"

#include "shared/base/assert.hpp"

namespace framefleet {
namespace {

constexpr std::array<ReasonEntry, kReasonCount> kTable{{
    {Reason::none, "none", Charge::answer, "nothing to explain"},
    {Reason::unreadable, "unreadable", Charge::final, "the producer could not read the picture"},
    {Reason::empty_picture, "empty_picture", Charge::final, "the picture has no bytes"},
    {Reason::not_a_picture, "not_a_picture", Charge::final,
     "the bytes are not of a picture format that is accepted"},
    {Reason::too_large_picture, "too_large_picture", Charge::final,
     "the header promises more pixels or bytes than the limits allow"},
    {Reason::undecodable, "undecodable", Charge::final,
     "the header is sound but no pixels could be decoded"},
    {Reason::detector_error, "detector_error", Charge::failed, "a detector reported an error"},
    {Reason::decode_timeout, "decode_timeout", Charge::failed, "decoding spent its time budget"},
    {Reason::detect_timeout, "detect_timeout", Charge::failed, "a detector spent its time budget"},
    {Reason::child_crashed, "child_crashed", Charge::failed,
     "the process that worked on the picture died"},
    {Reason::worker_lost, "worker_lost", Charge::lost, "the worker was not heard of any more"},
    {Reason::lease_expired, "lease_expired", Charge::lost,
     "the worker no longer vouched for the task"},
    {Reason::bad_description, "bad_description", Charge::final,
     "the task's description cannot be read or names unknown detectors or options"},
    {Reason::no_worker, "no_worker", Charge::final, "no worker has the detectors of the task"},
    {Reason::drained, "drained", Charge::nothing, "given back by a worker that drains"},
    {Reason::deadline_passed, "deadline_passed", Charge::answer,
     "the task's time to live ended before work on it began"},
    {Reason::newer_frame, "newer_frame", Charge::answer, "a newer frame of the source came"},
    {Reason::cancelled_by_operator, "cancelled_by_operator", Charge::answer, "cancelled"},
    {Reason::broker_restarted, "broker_restarted", Charge::answer,
     "the broker that held the task in memory is gone"},
    {Reason::journal_damaged, "journal_damaged", Charge::answer,
     "its bytes in the broker's journal were damaged"},
    {Reason::unaccounted, "unaccounted", Charge::answer,
     "the broker that held the task in memory is gone, and so is its producer"},
    {Reason::backlog_tasks, "backlog_tasks", Charge::answer, "the backlog is full (tasks)"},
    {Reason::backlog_bytes, "backlog_bytes", Charge::answer, "the backlog is full (bytes)"},
    {Reason::backlog_routes, "backlog_routes", Charge::answer,
     "too many different sets of detectors at once"},
    {Reason::source_share, "source_share", Charge::answer,
     "the source has its share of the backlog in progress"},
    {Reason::peer_share, "peer_share", Charge::answer,
     "the producer has its share of the backlog in progress"},
    {Reason::key_task_rate, "key_task_rate", Charge::answer,
     "the key's tasks per second are used up"},
    {Reason::key_byte_rate, "key_byte_rate", Charge::answer,
     "the key's bytes per second are used up"},
    {Reason::key_unsettled, "key_unsettled", Charge::answer,
     "as many tasks of the key as it may have are not settled yet"},
    {Reason::key_share, "key_share", Charge::answer,
     "the key has its share of the backlog and the journal"},
    {Reason::grant_exceeded, "grant_exceeded", Charge::answer,
     "more was sent unanswered than the grant allows"},
    {Reason::sink_slow, "sink_slow", Charge::answer, "outcomes wait for the sink"},
    {Reason::journal_full, "journal_full", Charge::answer, "the journal is nearly full"},
    {Reason::draining, "draining", Charge::answer, "the broker drains"},
    {Reason::malformed, "malformed", Charge::answer, "the message breaks the protocol"},
    {Reason::too_large_payload, "too_large_payload", Charge::answer,
     "the payload is larger than the broker accepts"},
    {Reason::conflict, "conflict", Charge::answer, "the id was used before with another payload"},
    {Reason::not_owner, "not_owner", Charge::answer,
     "the source of the id was not claimed by this producer's hello"},
    {Reason::wire_version, "wire_version", Charge::answer, "no wire version in common"},
    {Reason::task_version, "task_version", Charge::answer, "no task version in common"},
    {Reason::stale_epoch, "stale_epoch", Charge::answer,
     "another producer claims the source with a higher epoch"},
    {Reason::standby, "standby", Charge::answer, "another sink is in service"},
    {Reason::other_store, "other_store", Charge::answer,
     "the sink's store is not the one the broker knows"},
    {Reason::wrong_role, "wrong_role", Charge::answer,
     "the message is not one that this role sends"},
    {Reason::foreign_source, "foreign_source", Charge::answer, "the source belongs to another key"},
    {Reason::not_permitted, "not_permitted", Charge::answer,
     "the sender's key, or user, has no right to this"},
    {Reason::not_found, "not_found", Charge::answer, "there is nothing of this name"},
    {Reason::no_sink, "no_sink", Charge::answer, "no sink is in service"},
    {Reason::bad_configuration, "bad_configuration", Charge::answer,
     "the configuration is wrong, and what was before goes on"},
    {Reason::no_audit, "no_audit", Charge::answer,
     "the audit log cannot be written, so it was not done"},
}};

}  // namespace

const std::array<ReasonEntry, kReasonCount>& reason_table() { return kTable; }

const ReasonEntry& entry(Reason reason) {
  const auto& found = kTable.at(static_cast<std::size_t>(reason));
  FRAMEFLEET_ASSERT(found.reason == reason);
  return found;
}

std::string_view to_string(Reason reason) { return entry(reason).code; }

std::optional<Reason> parse_reason(std::string_view code) {
  for (const auto& row : kTable) {
    if (row.code == code) return row.reason;
  }
  return std::nullopt;
}

}  // namespace framefleet
