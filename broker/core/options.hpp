#pragma once
// What the broker's core can be told. Every cap of DESIGN's promise "bounded" is one of these.

#include "broker/core/demand.hpp"

#include "shared/base/time.hpp"

#include <cstdint>

namespace framefleet::broker {

struct CoreOptions {
  /// +1 at each start of a broker; leases of an earlier one are never mistaken for ours.
  std::uint32_t incarnation{1};
  /// Batch tasks are admitted when a journal has them (effects WriteTask, …; written()). False: by
  /// memory alone.
  bool journal{false};

  /// How often every peer says that it is there.
  Duration heartbeat_interval{std::chrono::milliseconds{500}};
  /// Silence after which a peer counts as gone: five missed heartbeats.
  Duration peer_timeout{std::chrono::milliseconds{2500}};
  /// How long a lease lives without being listed in its worker's heartbeat: twice peer_timeout, so
  /// that a worker that is alive but slow to beat does not lose its work.
  Duration lease_duration{std::chrono::seconds{5}};

  /// In progress at once, at most; over it submits are answered `busy`.
  std::uint64_t backlog_tasks_max{1'000'000};
  /// Bytes of tasks that are ready, delayed or leased, at most: payloads, texts and tables. What
  /// the broker may take of the machine's memory.
  std::uint64_t backlog_bytes_max{std::uint64_t{1} << 30U};
  /// Of the journal's file, at most, where it is the smaller limit to what one key may hold: half
  /// of it is for records. 0: it is not.
  std::uint64_t journal_bytes_max{0};
  /// Of one source, and of all sources of one producer, in progress at most; 0: their share alone
  /// (at four and eight times of what is free, so that whoever comes later finds room).
  std::uint64_t source_tasks_max{0};
  std::uint64_t source_bytes_max{0};
  std::uint64_t producer_tasks_max{0};
  std::uint64_t producer_bytes_max{0};
  /// Bytes of outcomes that wait for the sink; at the cap nothing is assigned.
  std::uint64_t unstored_bytes_max{std::uint64_t{64} << 20U};
  /// Outcomes that wait for the sink; at the cap nothing is assigned.
  std::uint64_t unstored_tasks_max{4096};
  /// Of one task, all frames together. A 50-megapixel JPEG of best quality has about 30 MiB.
  std::uint64_t payload_bytes_max{std::uint64_t{64} << 20U};
  /// A submitter may have this much unanswered: in tasks two groups that the journal waits for
  /// (JournalWriterOptions::gather_records), so that it sends one while the other is synced.
  std::uint64_t grant_tasks{1024};
  std::uint64_t grant_bytes{std::uint64_t{64} << 20U};
  /// Told to submitters that are answered `busy`.
  Duration busy_retry{std::chrono::milliseconds{100}};
  /// Outcomes sent to the sink and not yet stored, at most: one batch that it commits and one that
  /// waits (IntakeOptions). More would age in a socket.
  std::uint64_t sink_window{1024};

  /// Outcomes not confirmed for this long are sent to the sink once more.
  Duration outcome_resend_interval{std::chrono::seconds{5}};

  /// Hand-outs that ended in a nack, a crash or a spent time budget before the task is `failed`.
  std::uint16_t failed_attempts_max{3};
  /// Hand-outs whose worker or lease was lost before the task is `failed`. Higher, because a
  /// worker's death is seldom the picture's fault.
  std::uint16_t lost_attempts_max{10};
  /// Back-off before attempt n+1: uniform in [0, min(max, base × 2^n)] ("full jitter").
  Duration retry_delay_base{std::chrono::milliseconds{200}};
  Duration retry_delay_max{std::chrono::seconds{30}};

  /// From this many losses on a task is tried alone in its worker.
  std::uint16_t suspect_losses{3};
  /// Workers that die within this count together: when they are more than half of the fleet (and
  /// two at least) suspects are held back, and an alarm is raised instead.
  Duration dying_window{std::chrono::minutes{1}};

  /// Batch tasks are handed out ahead of a free slot while a worker gets through what waits there
  /// within this: about a round trip, so that slots are never idle for want of a message.
  Duration ahead_time{std::chrono::milliseconds{10}};
  /// Of one worker, handed out ahead at most.
  std::uint32_t ahead_tasks_max{64};
  /// A worker that finished nothing for this long is asked to give back what it has not started.
  Duration recall_delay{std::chrono::milliseconds{200}};
  /// Of the workers' time, what lower priorities get while higher ones have tasks without end.
  double lower_priority_share{0.1};

  /// For live frames that came without a ttl: after an outage nobody wants them any more. 0: none.
  Duration live_ttl{std::chrono::seconds{10}};

  /// How long a task waits for a worker with its detectors while there are workers, but none with
  /// them.
  Duration unroutable_timeout{std::chrono::minutes{1}};
  /// Sources and jobs whose accounts are kept apart; beyond it idle ones are added up as "other".
  std::uint64_t accounts_max{1000};

  /// How many workers there should be (demand.hpp).
  DemandOptions demand;

  /// How long a connected sink may take to say what it has stored before the asker is told
  /// "unknown".
  Duration ask_timeout{std::chrono::seconds{1}};
  /// Outcomes remembered after they are settled, to answer a submit that comes late or twice.
  std::uint64_t settled_memory{100'000};
};

}  // namespace framefleet::broker
