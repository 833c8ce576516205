#pragma once
// What an operator is shown of the broker's state: rows of plain values, copied out of the tables.
// The shell turns them into documents (docs/PROTOCOL.md, "Operating").

#include "broker/core/demand.hpp"
#include "broker/core/in_progress.hpp"

#include "shared/base/account.hpp"
#include "shared/base/strong_id.hpp"
#include "shared/base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace framefleet::broker {

struct WorkerRow {
  std::string name;
  std::string build;
  std::vector<std::string> detectors;
  std::uint32_t slots{0};
  std::uint32_t leased{0};    ///< Handed out: in its slots and ahead of them.
  bool draining{false};       ///< It takes nothing new.
  std::string not_ready;      ///< Why it takes no task, in its own words; "": it does.
  bool with_suspect{false};   ///< Alone with a task whose workers died before, or being emptied.
  Duration mean_service{};    ///< Of its latest tasks; 0: none measured yet.
  std::uint64_t finished{0};  ///< Results it gave, over this connection.
  Duration silent{};          ///< Since it was heard last.
};

struct SourceRow {
  std::string name;
  std::string owner;  ///< Name of its producer; "": none is connected.
  std::uint32_t epoch{0};
  std::uint32_t weight{1};
  bool paused{false};
  Account account;
  InProgress in_progress;
  std::uint64_t unaccounted{0};  ///< Of these: as FleetStatus says.
  std::uint64_t bytes{
      0};  ///< Of its tasks that are ready, delayed or leased, as the backlog counts.
  Duration mean_service{};  ///< Of its latest tasks; 0: none measured yet.
  // A camera's, as its producer says:
  std::string state;       ///< "": it is no camera, or its producer is gone.
  Duration state_for{};    ///< Since when.
  std::string state_text;  ///< Why, for people.
};

struct JobRow {
  std::string name;
  Account account;
  InProgress in_progress;
  std::uint64_t expected{0};    ///< Tasks in all; 0: unknown.
  bool cancelled{false};        ///< No task of it is admitted any more.
  bool finished{false};         ///< Everything expected is settled or rejected.
  Duration elapsed{};           ///< From its first task to now, or to its end.
  double rate{0};               ///< Tasks settled per second, lately.
  std::optional<Duration> eta;  ///< Nothing while unknown.
};

/// The whole fleet in one look.
struct FleetStatus {
  InProgress in_progress;
  Account total;
  /// Of what is delayed: an earlier broker had it in memory alone, and nobody has said more yet.
  std::uint64_t unaccounted{0};
  std::uint64_t backlog_bytes{0};
  std::uint64_t unstored_bytes{0};
  Duration oldest{};  ///< Since the oldest ready task was admitted; 0: none waits.
  std::uint64_t workers{0};
  std::uint64_t workers_draining{0};   ///< Of these.
  std::uint64_t workers_not_ready{0};  ///< Of these; none that drains.
  std::uint64_t slots{0};
  std::uint64_t free_slots{0};
  DemandRow demand;  ///< How many workers there should be, and why.
  std::uint64_t producers{0};
  std::uint64_t sources{0};
  std::uint64_t sources_connected{0};  ///< Claimed by producers that are here.
  std::uint64_t jobs{0};
  std::uint64_t suspects{0};  ///< Tasks whose workers died with them, waiting to be tried alone.
  bool workers_dying{false};  ///< The alarm: more than half of the workers died within a minute.
  bool sink_connected{false};
  bool paused{false};
  bool draining{false};
};

/// What happened since the broker's start.
struct EventCounts {
  std::uint64_t stale_results{0};
  std::uint64_t results_from_before{0};  ///< Taken, of hand-outs by an earlier broker.
  std::uint64_t duplicate_submits{0};
  std::uint64_t busy_answers{0};
  std::uint64_t foreign_ids{0};   ///< Of other keys' sources, submitted or asked about.
  std::uint64_t recalled{0};      ///< Tasks asked back from workers that had not begun with them.
  std::uint64_t lost_workers{0};  ///< They fell silent or broke off without a goodbye.
};

/// A copy of the broker's state for metrics and tests.
struct DispatcherStats : EventCounts {
  FleetStatus fleet;
  std::vector<std::pair<std::string, Account>> by_source;  ///< The first 200, the rest as "other".
  /// Live sources of the 200 whose producers are here: the time since their latest frame.
  std::vector<std::pair<std::string, Duration>> live_sources;
  /// Tasks in progress that no worker in service can do, by the detectors they need.
  std::vector<std::pair<std::string, std::uint64_t>> unroutable;
};

}  // namespace framefleet::broker
