#include "broker/core/worker_registry.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace framefleet::broker {

bool Worker::serves(const Route& route) const {
  return std::includes(detectors.begin(), detectors.end(), route.begin(), route.end());
}

RouteMask Worker::ahead_routes(RouteMask wanted, Duration ahead_time,
                               const RouteTable& routes) const {
  if (!takes_tasks() || leased < slots || !service.measured()) return 0;
  if (service.value() * (waiting() + 1) > ahead_time * slots) return 0;  // whatever the route
  RouteMask allowed = 0;
  for (RouteMask left = served & wanted; left != 0; left &= left - 1) {
    const auto route = static_cast<RouteId>(std::countr_zero(left));
    const auto& known = by_route.at(route);
    if (known.opening != routes.opening_of(route)) continue;
    const Duration each = std::max(service.value(), known.mean.value());
    if (each * (waiting() + 1) <= ahead_time * slots) allowed |= mask_of(route);
  }
  return allowed;
}

void WorkerRegistry::add(Worker worker) {
  std::sort(worker.detectors.begin(), worker.detectors.end());
  const auto peer = worker.peer;
  worker.idle_since = ++clock_;
  remove(peer);
  join_line(workers_.emplace(peer, std::move(worker)).first->second);
}

void WorkerRegistry::remove(PeerId peer) {
  const auto position = workers_.find(peer);
  if (position == workers_.end()) return;
  leave_line(position->second);
  workers_.erase(position);
}

const Worker* WorkerRegistry::find(PeerId peer) const {
  const auto position = workers_.find(peer);
  return position == workers_.end() ? nullptr : &position->second;
}

void WorkerRegistry::took_task(PeerId peer, Time recall_at) {
  update(peer, [this, recall_at](Worker& worker) {
    ++worker.leased;
    worker.assigned_at = ++clock_;
    if (worker.waiting() > 0) worker.recall_at = std::min(worker.recall_at, recall_at);
    recall_not_before_ = std::min(recall_not_before_, worker.recall_at);
  });
}

void WorkerRegistry::gave_back_slot(PeerId peer, Time recall_at) {
  update(peer, [this, recall_at](Worker& worker) {  // one that is gone has taken its slots with it
    FRAMEFLEET_ASSERT(worker.leased > 0);
    if (--worker.leased == 0) worker.idle_since = ++clock_;
    worker.recall_at = worker.waiting() > 0 ? recall_at : kNever;
    recall_not_before_ = std::min(recall_not_before_, worker.recall_at);
  });
}

void WorkerRegistry::finished(PeerId peer, RouteId route, const RouteTable& routes,
                              Duration service) {
  const auto position = workers_.find(peer);
  if (position == workers_.end()) return;
  auto& worker = position->second;
  ++worker.finished;
  worker.service.add(service);
  auto& known = worker.by_route.at(route);
  if (known.opening != routes.opening_of(route)) known = {routes.opening_of(route), {}};
  known.mean.add(service);
}

void WorkerRegistry::look_for_recalls() {
  recall_not_before_ = kNever;
  for (const auto& [peer, worker] : workers_) {
    recall_not_before_ = std::min(recall_not_before_, worker.recall_at);
  }
}

RouteMask WorkerRegistry::note_routes(const RouteTable& routes) {
  RouteMask served = 0;
  for (auto& [peer, worker] : workers_) {
    worker.served = 0;
    for (RouteMask left = routes.open_routes(); left != 0; left &= left - 1) {
      const auto route = static_cast<RouteId>(std::countr_zero(left));
      if (worker.serves(routes.at(route))) worker.served |= mask_of(route);
    }
    if (worker.in_service()) served |= worker.served;
  }
  return served;
}

RouteRivals WorkerRegistry::rivals() const {
  RouteRivals rivals{};
  for (const auto& [peer, worker] : workers_) {
    for (RouteMask left = worker.served; left != 0; left &= left - 1) {
      rivals.at(static_cast<std::size_t>(std::countr_zero(left))) |= worker.served;
    }
  }
  for (auto& mask : rivals) {
    if (mask == 0) mask = ~RouteMask{0};
  }
  return rivals;
}

std::uint32_t WorkerRegistry::free_slots() const {
  std::uint32_t free = 0;
  for (const auto& place : idle_) free += place.worker->slots - place.worker->leased;
  return free;
}

const Worker* WorkerRegistry::emptiest(RouteId route) const {
  const Worker* emptiest = nullptr;
  for (const auto& [peer, worker] : workers_) {
    if (!worker.takes_tasks() || !worker.serves(route)) continue;
    if (emptiest == nullptr || worker.leased < emptiest->leased) emptiest = &worker;
  }
  return emptiest;
}

std::vector<const Worker*> WorkerRegistry::idlest(std::uint64_t count,
                                                  const std::vector<std::string>& names) const {
  std::vector<const Worker*> line;
  for (const auto& [peer, worker] : workers_) {
    const bool is_meant =
        names.empty() || std::find(names.begin(), names.end(), worker.name) != names.end();
    if (is_meant && !worker.draining) line.push_back(&worker);
  }
  std::sort(line.begin(), line.end(), [](const Worker* left, const Worker* right) {
    if (left->leased != right->leased) return left->leased < right->leased;
    return left->idle_since < right->idle_since;  // no two are the same
  });
  if (line.size() > count) line.resize(count);
  return line;
}

WorkerRegistry::Place WorkerRegistry::place_of(const Worker& worker) {
  return {static_cast<std::int64_t>(worker.leased) - static_cast<std::int64_t>(worker.slots),
          worker.assigned_at, worker.peer, &worker};
}

void WorkerRegistry::join_line(const Worker& worker) {
  if (worker.in_service()) slots_in_service_ += worker.slots;
  if (worker.has_idle_slot()) idle_.insert(place_of(worker));
}

void WorkerRegistry::leave_line(const Worker& worker) {
  if (worker.in_service()) slots_in_service_ -= worker.slots;
  idle_.erase(place_of(worker));
}

}  // namespace framefleet::broker
