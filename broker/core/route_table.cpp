#include "broker/core/route_table.hpp"

#include "shared/base/assert.hpp"

#include <bit>

namespace framefleet::broker {

std::optional<RouteId> RouteTable::open(const Route& route) {
  if (const auto known = by_names_.find(route); known != by_names_.end()) return known->second;
  if (open_ == ~RouteMask{0}) return std::nullopt;
  const auto id = static_cast<RouteId>(std::countr_one(open_));
  entries_.at(id) = {route, ++opened_, 0, kNever, {}};
  by_names_.emplace(route, id);
  open_ |= mask_of(id);
  return id;
}

void RouteTable::leave(RouteId route) {
  auto& entry = entries_.at(route);
  FRAMEFLEET_ASSERT(entry.tasks > 0);
  if (--entry.tasks > 0) return;
  by_names_.erase(entry.names);
  open_ &= ~mask_of(route);
  entry = {};
}

void RouteTable::note_served(RouteMask served, Time now) {
  for (RouteMask left = open_; left != 0; left &= left - 1) {
    const auto id = static_cast<RouteId>(std::countr_zero(left));
    auto& entry = entries_.at(id);
    if ((served & mask_of(id)) != 0) {
      entry.unserved_since = kNever;
    } else if (entry.unserved_since == kNever) {
      entry.unserved_since = now;
    }
  }
}

}  // namespace framefleet::broker
