#pragma once
// The workers in service: what each can run, how quick it is and how many slots are free.

#include "broker/core/mean.hpp"
#include "broker/core/route_table.hpp"

#include "shared/base/strong_id.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace framefleet::broker {

struct Worker {
  PeerId peer;
  std::string name;      ///< What it calls itself: others may, too.
  std::string identity;  ///< Of its key; "": it has none.
  std::string build;
  std::vector<std::string> detectors;  ///< Sorted.
  std::uint32_t slots{0};
  std::uint32_t leased{0};  ///< Tasks it holds: in its slots, and ahead of them.
  bool draining{false};
  bool asked_to_leave{false};  ///< By us; it has not said yet that it drains.
  std::string not_ready;       ///< Why it takes no task, in its own words; "": it does.
  bool full{false};   ///< It gave tasks back: nothing more for it before its next heartbeat.
  bool alone{false};  ///< Kept for one suspect task, or at work on it: nothing else for it.
  std::uint64_t assigned_at{0};  ///< Value of the registry's clock at its latest task.
  std::uint64_t idle_since{0};   ///< Likewise when it was left without any task.
  Time recall_at{kNever};        ///< When to take back what waits in it.
  std::uint64_t finished{0};
  RouteMask served{0};  ///< Routes it has all detectors of.
  Mean service;
  /// Per route, with the number of the opening it was measured in.
  struct RouteService {
    std::uint64_t opening{0};
    Mean mean;
  };
  std::array<RouteService, kRoutesMax> by_route{};

  /// Whether it is there for tasks at all, be it busy or kept for one of them.
  bool in_service() const { return !draining && not_ready.empty(); }
  bool takes_tasks() const { return slots > 0 && in_service() && !full && !alone; }
  bool has_idle_slot() const { return takes_tasks() && leased < slots; }
  std::uint32_t waiting() const { return leased > slots ? leased - slots : 0; }
  bool serves(const Route& route) const;
  bool serves(RouteId route) const { return (served & mask_of(route)) != 0; }
  /// Those of the `wanted` routes of which it may be given one more task although no slot is free:
  /// it will begin with it within `ahead_time`, by what it took for such tasks so far.
  RouteMask ahead_routes(RouteMask wanted, Duration ahead_time, const RouteTable& routes) const;
};

class WorkerRegistry {
 public:
  void add(Worker worker);
  void remove(PeerId peer);
  const Worker* find(PeerId peer) const;
  const std::map<PeerId, Worker>& all() const { return workers_; }

  /// What then waits in it is taken back at `recall_at`, or earlier where that was said before.
  void took_task(PeerId peer, Time recall_at);
  /// What still waits in it has until `recall_at`: it goes on.
  void gave_back_slot(PeerId peer, Time recall_at);
  /// A task of `route` was done in `service`.
  void finished(PeerId peer, RouteId route, const RouteTable& routes, Duration service);
  /// Changes what only the caller knows; the order of choice follows.
  template <class Change>
  void update(PeerId peer, Change change) {
    const auto position = workers_.find(peer);
    if (position == workers_.end()) return;
    leave_line(position->second);
    change(position->second);
    join_line(position->second);
  }
  /// No worker's recall_at is earlier than this.
  Time recall_not_before() const { return recall_not_before_; }
  /// Looks at all of them, so that it says when the next one is.
  void look_for_recalls();
  /// Notes for every worker which routes it serves; the routes that one in service serves.
  RouteMask note_routes(const RouteTable& routes);

  /// For each route those that some worker serves beside it; all where nobody serves it yet.
  RouteRivals rivals() const;

  /// Calls `visit(worker)` for the workers with an idle slot: most of them first, then the one that
  /// has waited longest. Stops when `visit` returns true; the answer says whether it did.
  template <class Visit>
  bool visit_idle(Visit visit) const {
    for (const auto& place : idle_) {
      if (visit(*place.worker)) return true;
    }
    return false;
  }
  std::uint32_t free_slots() const;
  /// Of all workers in service, taken or not.
  std::uint64_t slots_in_service() const { return slots_in_service_; }
  /// Of those that take tasks of `route` the one that holds the fewest; null where there is none.
  const Worker* emptiest(RouteId route) const;
  /// The workers to go without first, `count` at most, of these names; none: of all. Those without
  /// a task, for the longest time first, then those with the fewest. None that drains.
  std::vector<const Worker*> idlest(std::uint64_t count,
                                    const std::vector<std::string>& names) const;

 private:
  struct Place {
    std::int64_t busy{0};  // minus the idle slots
    std::uint64_t assigned_at{0};
    PeerId peer;
    const Worker* worker{nullptr};
    friend bool operator<(const Place& left, const Place& right) {
      if (left.busy != right.busy) return left.busy < right.busy;
      if (left.assigned_at != right.assigned_at) return left.assigned_at < right.assigned_at;
      return left.peer < right.peer;
    }
  };
  static Place place_of(const Worker& worker);
  void join_line(const Worker& worker);
  void leave_line(const Worker& worker);

  std::map<PeerId, Worker> workers_;
  std::set<Place> idle_;  // those with an idle slot, in the order of choice
  std::uint64_t slots_in_service_{0};
  std::uint64_t clock_{0};
  Time recall_not_before_{kNever};
};

}  // namespace framefleet::broker
