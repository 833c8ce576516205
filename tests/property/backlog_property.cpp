// The backlog against lists that are searched from end to end. Whose turn it is, is the backlog's
// to decide (tests/unit/broker/backlog_shares_test.cpp); here: nothing is lost or comes twice,
// nobody gets what is not meant for it, and whoever could be served is.

#include "broker/core/backlog.hpp"
#include "tests/property/commands.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <tuple>
#include <vector>

using namespace framefleet;
using namespace framefleet::broker;
using namespace framefleet::test;

namespace {

constexpr std::size_t kTasks = 12;
constexpr std::size_t kSources = 3;

/// Twelve tasks of three sources: two routes, two priorities, some live.
struct Cast {
  Cast() {
    const auto edges = *routes.open({"edges"});
    const auto faces = *routes.open({"faces"});
    for (std::size_t i = 0; i < kTasks; ++i) {
      tasks[i].id = task_of(i);
      tasks[i].source = &sources[i % kSources];
      tasks[i].route = i / 3 % 2 == 0 ? edges : faces;
      tasks[i].priority = i < kTasks / 2 ? 0 : 9;
      tasks[i].task_class = i % 5 == 0 ? TaskClass::live : TaskClass::batch;
    }
  }
  std::array<Source, kSources> sources;
  std::array<Task, kTasks> tasks;
  RouteTable routes;
};

/// For every source and kind of task a list.
class NaiveBacklog {
 public:
  void push(Task& task, bool front) {
    auto& line = lines_[kind_of(task)];
    front ? line.push_front(&task) : line.push_back(&task);
  }
  bool holds(const Task& task) const {
    const auto line = lines_.find(kind_of(task));
    return line != lines_.end() &&
           std::find(line->second.begin(), line->second.end(), &task) != line->second.end();
  }
  void remove(Task& task) { std::erase(lines_[kind_of(task)], &task); }
  /// A replacement of the same kind goes first in its line, another one last in its own.
  void replace(Task& old, Task& fresh) {
    remove(old);
    push(fresh, kind_of(old) == kind_of(fresh));
  }
  bool is_first(const Task& task) const { return lines_.at(kind_of(task)).front() == &task; }
  RouteMask ready_routes(bool live_alone) const {
    RouteMask routes = 0;
    each_ready([&](const Task& task) {
      if (!live_alone || is_live(task)) routes |= mask_of(task.route);
    });
    return routes;
  }
  /// The highest level with a task for such a worker; -1: none.
  int highest_level(RouteMask allowed, bool live_too) const {
    int highest = -1;
    each_ready([&](const Task& task) {
      if ((mask_of(task.route) & allowed) == 0 || (is_live(task) && !live_too)) return;
      highest = std::max(highest, level_of(task));
    });
    return highest;
  }
  static bool is_live(const Task& task) { return task.task_class == TaskClass::live; }
  static int level_of(const Task& task) { return 2 * task.priority + (is_live(task) ? 1 : 0); }

 private:
  using Kind = std::tuple<std::uint64_t, int, RouteId>;
  static Kind kind_of(const Task& task) { return {task.id.source, level_of(task), task.route}; }
  template <class Visit>
  void each_ready(Visit visit) const {
    for (const auto& [kind, line] : lines_) {
      for (const auto* task : line) {
        if (!task->source->paused) visit(*task);
      }
    }
  }

  std::map<Kind, std::deque<const Task*>> lines_;
};

/// What a command asks to be taken: some of the routes, with or without live.
void take_and_compare(Cast& cast, Backlog& backlog, NaiveBacklog& naive,
                      const TableCommand& command, bool strict) {
  const RouteMask allowed = command.other >= 3 ? ~RouteMask{0} : RouteMask{command.other + 1};
  const bool live_too = command.time % 2 == 0;
  const int highest = naive.highest_level(allowed, live_too);
  auto* const taken = backlog.take(allowed, live_too, cast.routes);
  RC_ASSERT((taken == nullptr) == (highest < 0));
  if (taken == nullptr) return;
  RC_ASSERT(naive.holds(*taken));
  RC_ASSERT(naive.is_first(*taken));
  RC_ASSERT(!taken->source->paused);
  RC_ASSERT((mask_of(taken->route) & allowed) != 0);
  RC_ASSERT(live_too || !NaiveBacklog::is_live(*taken));
  if (strict) RC_ASSERT(NaiveBacklog::level_of(*taken) == highest);
  RC_ASSERT(taken->flow == nullptr);
  naive.remove(*taken);
  const Duration service{std::chrono::milliseconds{command.time}};
  Backlog::settle_up(*taken, service);
  taken->source->service.add(service);
}

void check_against_naive(double lower_share) {
  Cast cast;
  Backlog backlog(lower_share);
  NaiveBacklog naive;
  for (const auto& command : some_commands(10)) {
    auto& task = cast.tasks[command.task];
    auto& source = *task.source;
    if (command.kind <= 1 && !naive.holds(task)) {
      command.kind == 0 ? backlog.push_front(task) : backlog.push_back(task);
      naive.push(task, command.kind == 0);
    } else if (command.kind == 2 && naive.holds(task)) {
      backlog.remove(task);
      naive.remove(task);
    } else if (command.kind == 3) {
      auto& fresh = cast.tasks[(command.other % 4) * kSources + command.task % kSources];
      // The dispatcher replaces the one live frame of a source: the first in its line.
      if (naive.holds(task) && naive.is_first(task) && !naive.holds(fresh)) {
        backlog.replace(task, fresh);
        naive.replace(task, fresh);
      }
    } else if (command.kind == 4) {
      source.paused ? backlog.resume(source) : backlog.pause(source);
    } else if (command.kind == 5) {
      backlog.set_weight(source, static_cast<std::uint32_t>(command.other + 1));
    } else if (command.kind >= 6) {
      take_and_compare(cast, backlog, naive, command, lower_share == 0);
    }
    RC_ASSERT(backlog.ready_routes() == naive.ready_routes(false));
    RC_ASSERT(backlog.ready_live_routes() == naive.ready_routes(true));
    for (auto& each : cast.tasks) RC_ASSERT((each.flow != nullptr) == naive.holds(each));
  }
  for (auto& each : cast.sources) backlog.resume(each);
  // Everything comes out, once.
  while (auto* const taken = backlog.take(~RouteMask{0}, true, cast.routes)) {
    RC_ASSERT(naive.holds(*taken));
    naive.remove(*taken);
  }
  for (auto& each : cast.tasks) RC_ASSERT(!naive.holds(each));
  for (auto& each : cast.sources) backlog.forget(each);
}

}  // namespace

TEST_CASE("the backlog gives what a naive one has, first in first out") {
  CHECK(rc::check([] { check_against_naive(0.1); }));
}

TEST_CASE("where nothing is owed to lower priorities the highest goes first, always") {
  CHECK(rc::check([] { check_against_naive(0); }));
}
