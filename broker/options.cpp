#include "broker/options.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace framefleet::broker {
namespace {

/// Of the broker's own memory, beside its queues: 64 MiB for sockets, threads and tables, 32 MiB
/// that the allocator caches for threads, and as much freed memory (shared/telemetry/program.cpp).
constexpr std::uint64_t kOverheadBytes = std::uint64_t{128} << 20U;

}  // namespace

std::uint32_t incarnation_at(std::int64_t wall_clock_ms) {
  constexpr std::int64_t kStartOf2020Ms = 1'577'836'800'000;
  constexpr std::int64_t kTenthMs = 100;
  return static_cast<std::uint32_t>(
      std::max<std::int64_t>(1, (wall_clock_ms - kStartOf2020Ms) / kTenthMs));
}

std::uint64_t frame_bytes_max(const CoreOptions& core) {
  return std::max(core.payload_bytes_max, transport::HubOptions{}.frame_bytes_max);
}

void describe(config::OptionSet& set, BrokerOptions& options) {
  using namespace std::chrono_literals;
  using config::SizeOf;
  auto& core = options.core;
  auto& hub = options.hub;
  set.section("broker", "What the broker holds, and how patient it is.")
      .add("bind", hub.bind, {.help = "Addresses to listen on: tcp://HOST:PORT or ipc:///PATH."})
      .add("insecure", hub.insecure,
           {.help = "Allow tcp addresses that are not loopback although there are no keys."})
      .add("keys", options.keys,
           {.help = "Folder of broker.key and allowed.toml: tcp is for the keys listed there, and "
                    "encrypted (docs/OPERATIONS.md, \"Keys\"); none: tcp is open to all."})
      .add("io_threads", hub.io_threads,
           {.help = "Threads that read, write and encrypt what goes over the connections, each of "
                    "which stays with one of them: more for pictures of many megabytes.",
            .min = 1,
            .max = 64})  // a typing error; two are enough for most
      .add("backlog_tasks_max", core.backlog_tasks_max,
           {.help = "Tasks in progress at once; over it submits are answered busy.",
            .min = 1,
            .max = 100'000'000})
      .add("backlog_bytes_max", SizeOf{core.backlog_bytes_max},
           {.help = "Bytes of tasks that are ready, delayed or leased: payloads, texts and tables.",
            .min = config::mib(1)})
      .add(
          "journal", options.journal.folder,
          {.help = "Folder of the journal, which keeps admitted tasks over a restart; none: memory "
                   "alone."})
      .add("journal_bytes_max", SizeOf{options.journal.bytes_max},
           {.help = "Of the journal's file, reserved on its disk; 0: twice backlog_bytes_max."})
      .add(
          "audit", options.audit,
          {.help = "File to which each deed of an operator is appended, with what came of it; what "
                   "cannot be written there is not done. None: nowhere."})
      .add("source_tasks_max", core.source_tasks_max,
           {.help = "Of one source, at once; 0: its share of what is free.", .max = 100'000'000})
      .add("source_bytes_max", SizeOf{core.source_bytes_max},
           {.help = "Bytes of one source; 0: its share of what is free."})
      .add("producer_tasks_max", core.producer_tasks_max,
           {.help = "Of all sources of a producer, at once; 0: their share.", .max = 100'000'000})
      .add("producer_bytes_max", SizeOf{core.producer_bytes_max},
           {.help = "Bytes of all sources of a producer; 0: their share."})
      .add("unstored_bytes_max", SizeOf{core.unstored_bytes_max},
           {.help = "Bytes of outcomes that wait for the sink; at the cap nothing is assigned.",
            .min = config::mib(1)})
      .add("unstored_tasks_max", core.unstored_tasks_max,
           {.help = "Outcomes that wait for the sink; at the cap nothing is assigned.",
            .min = 1,
            .max = 1'000'000})
      .add("drain_target", core.demand.drain_target,
           {.help = "Within which the batch tasks that wait are to be done: for the number of "
                    "workers that is asked for.",
            .min = 1s,
            .max = 24h})
      .add("demand_window", core.demand.window,
           {.help = "Over which it is measured how much is offered, likewise.",
            .min = 1s,
            .max = 1h})
      .add("unroutable_timeout", core.unroutable_timeout,
           {.help = "How long a task waits while there are workers, but none with its detectors.",
            .min = 100ms,
            .max = 24h * 365})
      .add("payload_bytes_max", SizeOf{core.payload_bytes_max},
           {.help = "Payload of one task.", .min = config::kib(1), .max = config::gib(1)})
      .add("grant_tasks", core.grant_tasks,
           {.help = "Tasks a submitter may have unanswered.", .min = 1, .max = 65'536})
      .add("grant_bytes", SizeOf{core.grant_bytes},
           {.help = "Payload bytes a submitter may have unanswered.", .min = config::kib(1)})
      .add("heartbeat_interval", core.heartbeat_interval,
           {.help = "How often peers say that they are there.", .min = 10ms, .max = 60s})
      .add("peer_timeout", core.peer_timeout,
           {.help = "Silence after which a peer counts as gone.", .min = 50ms, .max = 10min})
      .add("lease_duration", core.lease_duration,
           {.help = "How long a lease lives without its worker's heartbeat.",
            .min = 100ms,
            .max = 1h})
      .add("failed_attempts_max", core.failed_attempts_max,
           {.help = "Failed attempts before a task is given up.", .min = 1, .max = 100})
      .add("lost_attempts_max", core.lost_attempts_max,
           {.help = "Lost workers or leases before a task is given up.", .min = 1, .max = 100})
      .add("suspect_losses", core.suspect_losses,
           {.help = "Lost workers after which a task is tried alone in its worker.",
            .min = 1,
            .max = 100})
      .add("dying_window", core.dying_window,
           {.help = "Workers that die within this count together for the alarm.",
            .min = 100ms,
            .max = 24h})
      .add("ahead_time", core.ahead_time,
           {.help = "Batch tasks are handed to a busy worker that begins with them within this; "
                    "0: never.",
            .max = 10s})
      .add(
          "recall_delay", core.recall_delay,
          {.help = "A worker that finished nothing for this long gives back what it has not begun.",
           .min = 1ms,
           .max = 1h})
      .add("live_ttl", core.live_ttl,
           {.help = "Time to live of live frames that came without one; 0: none.", .max = 24h})
      .add("lower_priority_share", core.lower_priority_share,
           {.help = "Of the workers' time, what lower priorities get beside endless higher ones.",
            .max = 0.5})
      .add("retry_delay_base", core.retry_delay_base,
           {.help = "Longest back-off before the second attempt; doubles.", .max = 1h})
      .add("retry_delay_max", core.retry_delay_max,
           {.help = "Longest back-off of all.", .max = 24h})
      .add("memory_max", SizeOf{options.memory_max},
           {.help = "Memory of its own at which the broker dies, to be started again; 0: never. "
                    "Leave room for backlog_bytes_max, unstored_bytes_max and 128 MiB."})
      .add("drain_timeout", options.drain_timeout,
           {.help = "How long a drain may take before what is left is given up.", .max = 24h});
  set.check([&options, &core]() -> std::optional<std::string> {
    if (core.peer_timeout < 2 * core.heartbeat_interval) {
      return "broker.peer_timeout must be at least twice broker.heartbeat_interval";
    }
    if (core.lease_duration < 2 * core.heartbeat_interval) {
      return "broker.lease_duration must be at least twice broker.heartbeat_interval";
    }
    const auto queues = core.backlog_bytes_max + core.unstored_bytes_max;
    if (options.memory_max != 0 && options.memory_max < queues + kOverheadBytes) {
      return "broker.memory_max must be at least broker.backlog_bytes_max, "
             "broker.unstored_bytes_max and 128 MiB together, or the broker dies of honest work";
    }
    return std::nullopt;
  });
}

}  // namespace framefleet::broker
