#pragma once
// What a broker's journal keeps: tasks that were admitted and are not settled, and the books that
// must agree with them. Plain values; a journal stores them, the broker's core makes and reads
// them.

#include "shared/base/account.hpp"
#include "shared/base/task.hpp"
#include "shared/base/task_id.hpp"
#include "shared/base/task_messages.hpp"
#include "shared/base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace framefleet {

/// A task of class batch, all but its payload.
struct JournaledTask {
  TaskId id;
  std::string source;
  std::string job;
  std::vector<std::string> detectors;  ///< Sorted, no repeats.
  std::string task;                    ///< TaskDescription as the submitter encoded it.
  std::string digest;
  std::uint8_t priority{0};
  Duration age{};       ///< Since its admission, when this was written.
  Duration ttl_left{};  ///< 0: none.
  std::optional<TaskId> revived_from;
  std::uint16_t attempts{0};  ///< Hand-outs, and how many of them were charged as what.
  std::uint16_t failed{0};
  std::uint16_t lost{0};
  std::vector<AttemptRecord> history;
  /// Hand-outs up to this one are over: a result of theirs closes nothing.
  LeaseId over;
  bool cancelled{false};  ///< By an operator, who was told so: nobody works on it any more.
  /// Wall clock, Unix; for the time that passes until somebody reads this.
  std::uint64_t written_at_ms{0};

  friend bool operator==(const JournaledTask&, const JournaledTask&) = default;
};

struct SourceBook {
  std::uint64_t hash{0};  ///< Its key.
  std::string name;
  std::uint32_t epoch{0};
  std::uint32_t weight{1};
  bool paused{false};
  std::uint64_t expected{0};
  std::uint64_t stored_before{0};
  std::uint64_t counted_through{0};
  std::string job;       ///< That its pictures are counted in; "": none.
  std::string identity;  ///< That it belongs to; "": to nobody.
  Account account;
  /// Its tasks in progress that the broker has in memory alone, growing: live frames, and batch
  /// tasks whose pictures are gone.
  std::vector<TaskId> live;
  std::vector<TaskId> gone;

  friend bool operator==(const SourceBook&, const SourceBook&) = default;
};

struct JobBook {
  std::string name;  ///< Its key.
  std::uint64_t expected{0};
  std::uint64_t stored_before{0};
  bool total_unknown{false};
  bool cancelled{false};
  bool ended{false};
  std::vector<std::uint64_t> joined;  ///< Hashes of sources, growing.
  Account account;

  friend bool operator==(const JobBook&, const JobBook&) = default;
};

/// What there is one of.
struct FleetBook {
  std::string store;  ///< UUID of the store that the outcomes go to; "": none yet.
  bool paused{false};
  Account other_sources;  ///< Of sources and jobs whose own books were given up.
  Account other_jobs;

  friend bool operator==(const FleetBook&, const FleetBook&) = default;
};

/// The books that changed since the last time, and those that are gone.
struct JournaledBooks {
  std::optional<FleetBook> fleet;
  std::vector<SourceBook> sources;
  std::vector<std::uint64_t> sources_gone;
  std::vector<JobBook> jobs;
  std::vector<std::string> jobs_gone;

  bool empty() const {
    return !fleet && sources.empty() && sources_gone.empty() && jobs.empty() && jobs_gone.empty();
  }
  friend bool operator==(const JournaledBooks&, const JournaledBooks&) = default;
};

}  // namespace framefleet
