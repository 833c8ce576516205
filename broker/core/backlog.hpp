#pragma once
// Ready tasks, and whose turn it is.
//
// Levels: ten priorities, and in each of them live above batch. The highest level with a task goes
// first, but of the time that it takes a share is owed to the levels below it, so that they move
// too. Inside a level the routes take turns by the time they were given, weighted by their sources.
// Inside a route it is deficit round robin by source, paid in service time (Shreedhar and Varghese:
// "Efficient fair queueing using deficit round robin", 1995), with one change: a source takes one
// task at a turn and goes to the end of the line while its credit lasts, so that sources interleave
// instead of following each other in bursts. A new round, in which everybody is given credit by its
// weight, begins when nobody has any left; a source that ran empty keeps what it owes. Inside a
// source it is first in, first out; a task that comes back goes to the front.
//
// A decision costs the same with ten sources as with a hundred thousand. The order depends on what
// was pushed alone, never on a hash or an address. Tasks are linked, not owned.

#include "broker/core/route_table.hpp"
#include "broker/core/task.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace framefleet::broker {

class Backlog {
 public:
  /// `lower_share` in [0, 0.5]: of the service time, owed to all levels below the one that is
  /// served while they have tasks.
  explicit Backlog(double lower_share) : lower_share_(lower_share) {}

  void push_back(Task& task);
  void push_front(Task& task);
  void remove(Task& task);
  /// `fresh` takes the place of `old` in the line if they have the same route and urgency, else a
  /// place of its own.
  void replace(Task& old, Task& fresh);

  /// The next task among these routes, removed and paid for (Task::charged), or null. `live_too`:
  /// not only batch. `routes` tells what a task is expected to take.
  Task* take(RouteMask allowed, bool live_too, const RouteTable& routes);
  /// Calls `visit(task)` for every ready task of a route, but those of paused sources. `visit` may
  /// not change the backlog.
  template <class Visit>
  void for_each(RouteId route, Visit visit) const {
    for (const auto& level : lanes_) {
      for (const auto& line : level.at(route).lines) {
        for (const Flow* flow = line.first; flow != nullptr; flow = flow->behind) {
          for (Task* task = flow->first; task != nullptr; task = task->behind) visit(*task);
        }
      }
    }
  }
  /// A task took this long: its source pays the difference to what it was charged.
  static void settle_up(Task& task, Duration service);

  /// Routes compare their time with those alone that share a worker with them.
  void set_rivals(const RouteRivals& rivals) { rivals_ = rivals; }

  void pause(Source& source);
  void resume(Source& source);
  void set_weight(Source& source, std::uint32_t weight);
  /// The source has nothing in progress: its flows and what they owe are forgotten.
  void forget(Source& source);

  /// Routes with a ready task, of sources that are not paused.
  RouteMask ready_routes() const { return ready_live_ | ready_batch_; }
  RouteMask ready_live_routes() const { return ready_live_; }
  /// When the oldest ready task was admitted; kNever when there is none. Sources that are paused do
  /// not count. Visits every other source.
  Time oldest() const;

 private:
  static constexpr std::size_t kLevels = 20;
  /// What a task is taken to need while nothing like it has been measured: an edge filter on a VGA
  /// picture.
  static constexpr Duration kUnmeasuredService = std::chrono::milliseconds{10};

  struct Line {
    Flow* first{nullptr};
    Flow* last{nullptr};
  };
  /// The flows of one level and route that have tasks.
  struct Lane {
    std::array<Line, 2> lines;  // [current]: may have credit; the other: spent, for the next round
    std::uint8_t current{0};
    std::uint64_t round{1};
    Duration quantum{kUnmeasuredService};  // about the longest service lately
    Duration credit{kUnmeasuredService};   // of this round, the same for all: quantum at its begin
    std::uint64_t weights{0};              // of the flows in both lines
    double given{0};  // ns of service per weight, to compare the routes of a level

    bool empty() const { return lines[0].first == nullptr && lines[1].first == nullptr; }
  };

  static std::uint8_t level_of(const Task& task) {
    return static_cast<std::uint8_t>(2 * task.priority +
                                     (task.task_class == TaskClass::live ? 1 : 0));
  }
  static bool is_live(std::size_t level) { return level % 2 == 1; }
  static void append(Lane& lane, Flow& flow, bool spent);
  static void unlink(Lane& lane, Flow& flow);
  static Duration expected_service(const Task& task, const RouteTable& routes);

  Flow& flow_for(const Task& task);
  Lane& lane_of(const Flow& flow) { return lanes_.at(flow.level).at(flow.route); }
  void list(Flow& flow);
  void unlist(Flow& flow);
  void note_ready(std::size_t level);
  static void link_first(Flow& flow, Task& task);
  static void unlink_task(Flow& flow, Task& task);
  static void renew(const Lane& lane, Flow& flow);
  Task* take_from(std::size_t level, RouteId route, const RouteTable& routes);
  void begin_again(std::size_t level, RouteId route);
  RouteId choose_route(std::size_t level, RouteMask allowed) const;

  double lower_share_;
  std::array<std::array<Lane, kRoutesMax>, kLevels> lanes_;
  std::array<RouteMask, kLevels> ready_{};    // routes with a listed flow
  RouteMask ready_live_{0};                   // those of all levels that are live
  RouteMask ready_batch_{0};                  // and of all that are not
  std::array<double, kLevels> owed_below_{};  // ns of service owed to the levels below
  RouteRivals rivals_ = every_route_rivals_all();
};

}  // namespace framefleet::broker
