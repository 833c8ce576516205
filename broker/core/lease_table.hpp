#pragma once
// Who works on what, until when. A lease names one hand-out of a task; its number is never used
// again, so a late answer of an earlier hand-out finds nothing to close.

#include "broker/core/line.hpp"

#include "shared/base/strong_id.hpp"
#include "shared/base/task_id.hpp"
#include "shared/base/time.hpp"

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace framefleet::broker {

struct Lease {
  LeaseId id;
  TaskId task;
  PeerId worker;
  Time deadline;
};

class LeaseTable {
 public:
  explicit LeaseTable(std::uint32_t incarnation) : incarnation_(incarnation) {}

  LeaseId open(const TaskId& task, PeerId worker, Time deadline);
  /// Removes and returns the lease if it is open and for `task`; nothing means: stale.
  std::optional<Lease> close(const LeaseId& id, const TaskId& task);
  /// Null when there is no such lease (any more).
  const Lease* find(const LeaseId& id) const;
  /// False when there is no such lease (any more).
  bool extend(const LeaseId& id, Time deadline);
  /// The lease that has been over longest, removed; or nothing. Of those with one deadline the one
  /// that was given it first.
  std::optional<Lease> pop_expired(Time now);
  /// Some lease of this worker, removed; or nothing.
  std::optional<Lease> pop_owned_by(PeerId worker);

  /// The worker's leases behind the first `slots`, in the order in which they were opened: what it
  /// cannot have started, because it starts them in that order.
  std::vector<Lease> unstarted_of(PeerId worker, std::uint64_t slots) const;

  Time next_deadline() const;
  std::uint64_t count() const { return leases_.size(); }
  std::uint64_t count_of(PeerId worker) const;

 private:
  struct Entry {
    Lease lease;
    Entry* sooner{nullptr};
    Entry* later{nullptr};
    Entry* older{nullptr};
    Entry* newer{nullptr};
  };
  struct Owned {
    Line<Entry, &Entry::older, &Entry::newer> line;  // in the order in which they were opened
    std::uint64_t count{0};
  };

  Entry* find_entry(const LeaseId& id);
  void line_up(Entry& entry);
  Lease remove(Entry& entry);

  std::uint32_t incarnation_;
  std::uint64_t counter_{0};
  std::unordered_map<std::uint64_t, Entry> leases_;  // by the counter of their ids
  Line<Entry, &Entry::sooner, &Entry::later> by_deadline_;
  std::unordered_map<PeerId, Owned> by_worker_;  // looked up alone
};

}  // namespace framefleet::broker
