#pragma once
// Who works on what, until when. A lease names one hand-out of a task; its number is never used
// again, so a late answer of an earlier hand-out finds nothing to close.

#include "shared/base/strong_id.hpp"
#include "shared/base/task_id.hpp"
#include "shared/base/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
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
  /// The lease that has been over longest, removed; or nothing.
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
  Lease remove(std::unordered_map<LeaseId, Lease>::iterator position);

  std::uint32_t incarnation_;
  std::uint64_t counter_{0};
  std::unordered_map<LeaseId, Lease> leases_;
  std::set<std::pair<Time, LeaseId>> by_deadline_;
  std::map<PeerId, std::set<LeaseId>> by_worker_;
};

}  // namespace framefleet::broker
