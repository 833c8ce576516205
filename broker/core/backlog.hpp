#pragma once
// Tasks that wait: ready ones by route and source, delayed ones by the time they are due.
//
// A route is the set of detectors a task needs. Inside a route the sources take turns, inside a
// source it is first in, first out; a task that comes back goes to the front of its source. Routes
// that a worker serves take turns too. Order depends on what was pushed alone, never on a hash or
// an address.

#include "shared/base/task_id.hpp"
#include "shared/base/time.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace framefleet::broker {

/// Names of detectors, sorted.
using Route = std::vector<std::string>;

class Backlog {
 public:
  void push_back(const TaskId& task, const Route& route);
  void push_front(const TaskId& task, const Route& route);
  void push_delayed(const TaskId& task, Time due_at);

  /// The next ready task among the routes that `serves(route)` accepts, removed; or nothing.
  template <class Serves>
  std::optional<TaskId> pop_ready(Serves serves) {
    Lane* chosen = nullptr;
    for (auto& [route, lane] : lanes_) {
      if ((chosen == nullptr || lane.served_at < chosen->served_at) && serves(route)) {
        chosen = &lane;
      }
    }
    if (chosen == nullptr) return std::nullopt;
    return take_from(*chosen);
  }
  /// The delayed task that has been due longest, removed; or nothing.
  std::optional<TaskId> pop_due(Time now);

  /// How many routes were opened so far: whoever knows the workers looks again when it grows.
  std::uint64_t routes_opened() const { return routes_opened_; }
  /// Notes which routes nobody serves, and since when. `serves(route)`: some worker does.
  template <class Serves>
  void note_served(Serves serves, Time now) {
    for (auto& [route, lane] : lanes_) {
      if (serves(route)) {
        lane.unserved_since = kNever;
      } else if (lane.unserved_since == kNever) {
        lane.unserved_since = now;
      }
    }
  }
  /// A ready task of a route that nobody has served since before `limit`, removed; or nothing.
  std::optional<TaskId> pop_unserved(Time limit);
  /// Since when the route that has waited longest has been served by nobody.
  Time unserved_since() const;

  Time next_due() const;
  std::uint64_t ready_count() const { return ready_count_; }
  std::uint64_t delayed_count() const { return delayed_.size(); }

 private:
  /// Ready tasks of one route. Never empty: it is removed with its last task.
  struct Lane {
    const Route* route{nullptr};
    std::deque<std::uint64_t> turns;  // sources with ready tasks, in the order of their turns
    std::unordered_map<std::uint64_t, std::deque<TaskId>> by_source;
    std::uint64_t served_at{0};  // value of clock_ when a task was taken last
    Time unserved_since{kNever};
  };

  std::deque<TaskId>& queue_for(const TaskId& task, const Route& route);
  TaskId take_from(Lane& lane);

  std::map<Route, Lane> lanes_;
  std::set<std::pair<Time, TaskId>> delayed_;
  std::uint64_t ready_count_{0};
  std::uint64_t clock_{0};  // counts the tasks taken
  std::uint64_t routes_opened_{0};
};

}  // namespace framefleet::broker
