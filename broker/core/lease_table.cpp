#include "broker/core/lease_table.hpp"

#include "shared/base/assert.hpp"

namespace framefleet::broker {

LeaseId LeaseTable::open(const TaskId& task, PeerId worker, Time deadline) {
  const LeaseId id{incarnation_, ++counter_};
  auto& entry = leases_[id.counter];
  entry.lease = {id, task, worker, deadline};
  line_up(entry);
  auto& owned = by_worker_[worker];
  owned.line.push_back(entry);
  ++owned.count;
  return id;
}

std::optional<Lease> LeaseTable::close(const LeaseId& id, const TaskId& task) {
  auto* const entry = find_entry(id);
  if (entry == nullptr || entry->lease.task != task) return std::nullopt;
  return remove(*entry);
}

const Lease* LeaseTable::find(const LeaseId& id) const {
  const auto position = leases_.find(id.counter);
  const bool found = position != leases_.end() && id.incarnation == incarnation_;
  return found ? &position->second.lease : nullptr;
}

LeaseTable::Entry* LeaseTable::find_entry(const LeaseId& id) {
  const auto position = leases_.find(id.counter);
  const bool found = position != leases_.end() && id.incarnation == incarnation_;
  return found ? &position->second : nullptr;
}

/// Deadlines hardly ever come in another order than the one in which they are given.
void LeaseTable::line_up(Entry& entry) {
  auto* sooner = by_deadline_.last();
  while (sooner != nullptr && sooner->lease.deadline > entry.lease.deadline) {
    sooner = sooner->sooner;
  }
  by_deadline_.insert_behind(sooner, entry);
}

bool LeaseTable::extend(const LeaseId& id, Time deadline) {
  auto* const entry = find_entry(id);
  if (entry == nullptr) return false;
  by_deadline_.remove(*entry);
  entry->lease.deadline = deadline;
  line_up(*entry);
  return true;
}

std::optional<Lease> LeaseTable::pop_expired(Time now) {
  if (next_deadline() > now || by_deadline_.empty()) return std::nullopt;
  return remove(*by_deadline_.first());
}

std::optional<Lease> LeaseTable::pop_owned_by(PeerId worker) {
  const auto owned = by_worker_.find(worker);
  if (owned == by_worker_.end()) return std::nullopt;
  // The newest first: put back to the front one by one, the tasks keep their order.
  return remove(*owned->second.line.last());
}

std::vector<Lease> LeaseTable::unstarted_of(PeerId worker, std::uint64_t slots) const {
  std::vector<Lease> unstarted;
  const auto owned = by_worker_.find(worker);
  if (owned == by_worker_.end()) return unstarted;
  for (const auto* entry = owned->second.line.first(); entry != nullptr; entry = entry->newer) {
    if (slots > 0) {
      --slots;
    } else {
      unstarted.push_back(entry->lease);
    }
  }
  return unstarted;
}

Time LeaseTable::next_deadline() const {
  return by_deadline_.empty() ? kNever : by_deadline_.first()->lease.deadline;
}

std::uint64_t LeaseTable::count_of(PeerId worker) const {
  const auto owned = by_worker_.find(worker);
  return owned == by_worker_.end() ? 0 : owned->second.count;
}

Lease LeaseTable::remove(Entry& entry) {
  const Lease lease = entry.lease;
  by_deadline_.remove(entry);
  const auto owned = by_worker_.find(lease.worker);
  FRAMEFLEET_ASSERT(owned != by_worker_.end());
  owned->second.line.remove(entry);
  if (--owned->second.count == 0) by_worker_.erase(owned);
  leases_.erase(lease.id.counter);
  return lease;
}

}  // namespace framefleet::broker
