#pragma once
// The sets of detectors that tasks need, numbered: at most 64 at a time, so that what a worker
// serves and what waits are masks of one word. A number is given out anew when nothing uses it.

#include "broker/core/mean.hpp"
#include "broker/core/task.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::broker {

/// Names of detectors, sorted.
using Route = std::vector<std::string>;
/// One bit per RouteId.
using RouteMask = std::uint64_t;
inline constexpr std::size_t kRoutesMax = 64;
constexpr RouteMask mask_of(RouteId route) { return RouteMask{1} << route; }

/// For each route those that some worker serves beside it.
using RouteRivals = std::array<RouteMask, kRoutesMax>;
constexpr RouteRivals every_route_rivals_all() {
  RouteRivals rivals{};
  for (auto& mask : rivals) mask = ~RouteMask{0};
  return rivals;
}

class RouteTable {
 public:
  /// The number of the route, known before or new; nothing when all numbers are in use.
  std::optional<RouteId> open(const Route& route);
  /// A task more or less, until it is settled; without tasks the number is free.
  void enter(RouteId route) { ++entries_.at(route).tasks; }
  void leave(RouteId route);

  std::uint64_t tasks(RouteId route) const { return entries_.at(route).tasks; }
  const Route& at(RouteId route) const { return entries_.at(route).names; }
  /// Routes that have a number now.
  RouteMask open_routes() const { return open_; }
  /// Grows with every number given out: whoever keeps masks looks again.
  std::uint64_t opened() const { return opened_; }
  /// Which opening of all this number was given out at.
  std::uint64_t opening_of(RouteId route) const { return entries_.at(route).opening; }

  void measured(RouteId route, Duration service) { entries_.at(route).service.add(service); }
  const Mean& service(RouteId route) const { return entries_.at(route).service; }

  /// Notes which routes nobody serves, and since when.
  void note_served(RouteMask served, Time now);
  /// Since when nobody has served it; kNever while somebody does.
  Time unserved_since(RouteId route) const { return entries_.at(route).unserved_since; }

 private:
  struct Entry {
    Route names;
    std::uint64_t opening{0};
    std::uint64_t tasks{0};
    Time unserved_since{kNever};
    Mean service;
  };

  std::array<Entry, kRoutesMax> entries_;
  std::map<Route, RouteId> by_names_;
  RouteMask open_{0};
  std::uint64_t opened_{0};
};

}  // namespace framefleet::broker
