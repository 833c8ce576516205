#include "broker/core/worker_registry.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>

namespace framefleet::broker {

bool Worker::serves(const Route& route) const {
  return std::includes(detectors.begin(), detectors.end(), route.begin(), route.end());
}

void WorkerRegistry::add(Worker worker) {
  std::sort(worker.detectors.begin(), worker.detectors.end());
  const auto peer = worker.peer;
  workers_.insert_or_assign(peer, std::move(worker));
}

void WorkerRegistry::remove(PeerId peer) { workers_.erase(peer); }

Worker* WorkerRegistry::find(PeerId peer) {
  const auto position = workers_.find(peer);
  return position == workers_.end() ? nullptr : &position->second;
}

const Worker* WorkerRegistry::find(PeerId peer) const {
  const auto position = workers_.find(peer);
  return position == workers_.end() ? nullptr : &position->second;
}

void WorkerRegistry::took_task(PeerId peer) {
  auto* worker = find(peer);
  FRAMEFLEET_ASSERT(worker != nullptr && worker->has_free_slot());
  ++worker->leased;
  worker->assigned_at = ++clock_;
}

void WorkerRegistry::gave_back_slot(PeerId peer) {
  auto* worker = find(peer);
  if (worker == nullptr) return;  // it is gone already, and its slots with it
  FRAMEFLEET_ASSERT(worker->leased > 0);
  --worker->leased;
}

std::uint32_t WorkerRegistry::free_slots() const {
  std::uint32_t free = 0;
  for (const auto& [peer, worker] : workers_) {
    if (worker.has_free_slot()) free += worker.slots - worker.leased;
  }
  return free;
}

std::vector<Worker*> WorkerRegistry::in_order_of_choice() {
  std::vector<Worker*> free;
  for (auto& [peer, worker] : workers_) {
    if (worker.has_free_slot()) free.push_back(&worker);
  }
  std::sort(free.begin(), free.end(), [](const Worker* left, const Worker* right) {
    const auto left_free = left->slots - left->leased;
    const auto right_free = right->slots - right->leased;
    if (left_free != right_free) return left_free > right_free;
    if (left->assigned_at != right->assigned_at) return left->assigned_at < right->assigned_at;
    return left->peer < right->peer;
  });
  return free;
}

}  // namespace framefleet::broker
