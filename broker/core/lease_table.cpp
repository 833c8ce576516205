#include "broker/core/lease_table.hpp"

#include "shared/base/assert.hpp"

namespace framefleet::broker {

LeaseId LeaseTable::open(const TaskId& task, PeerId worker, Time deadline) {
  const LeaseId id{incarnation_, ++counter_};
  leases_.emplace(id, Lease{id, task, worker, deadline});
  by_deadline_.emplace(deadline, id);
  by_worker_[worker].insert(id);
  return id;
}

std::optional<Lease> LeaseTable::close(const LeaseId& id, const TaskId& task) {
  const auto position = leases_.find(id);
  if (position == leases_.end() || position->second.task != task) return std::nullopt;
  return remove(position);
}

const Lease* LeaseTable::find(const LeaseId& id) const {
  const auto position = leases_.find(id);
  return position == leases_.end() ? nullptr : &position->second;
}

bool LeaseTable::extend(const LeaseId& id, Time deadline) {
  const auto position = leases_.find(id);
  if (position == leases_.end()) return false;
  auto& lease = position->second;
  by_deadline_.erase({lease.deadline, id});
  lease.deadline = deadline;
  by_deadline_.emplace(deadline, id);
  return true;
}

std::optional<Lease> LeaseTable::pop_expired(Time now) {
  if (by_deadline_.empty() || by_deadline_.begin()->first > now) return std::nullopt;
  return remove(leases_.find(by_deadline_.begin()->second));
}

std::optional<Lease> LeaseTable::pop_owned_by(PeerId worker) {
  const auto owned = by_worker_.find(worker);
  if (owned == by_worker_.end()) return std::nullopt;
  // The newest first: put back to the front one by one, the tasks keep their order.
  return remove(leases_.find(*owned->second.rbegin()));
}

std::vector<Lease> LeaseTable::unstarted_of(PeerId worker, std::uint64_t slots) const {
  std::vector<Lease> unstarted;
  const auto owned = by_worker_.find(worker);
  if (owned == by_worker_.end()) return unstarted;
  for (const auto& id : owned->second) {
    if (slots > 0) {
      --slots;
    } else {
      unstarted.push_back(leases_.at(id));
    }
  }
  return unstarted;
}

Time LeaseTable::next_deadline() const {
  return by_deadline_.empty() ? kNever : by_deadline_.begin()->first;
}

std::uint64_t LeaseTable::count_of(PeerId worker) const {
  const auto owned = by_worker_.find(worker);
  return owned == by_worker_.end() ? 0 : owned->second.size();
}

Lease LeaseTable::remove(std::unordered_map<LeaseId, Lease>::iterator position) {
  FRAMEFLEET_ASSERT(position != leases_.end());
  const Lease lease = position->second;
  leases_.erase(position);
  by_deadline_.erase({lease.deadline, lease.id});
  const auto owned = by_worker_.find(lease.worker);
  FRAMEFLEET_ASSERT(owned != by_worker_.end());
  owned->second.erase(lease.id);
  if (owned->second.empty()) by_worker_.erase(owned);
  return lease;
}

}  // namespace framefleet::broker
