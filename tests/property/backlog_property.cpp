// The backlog against lists that are searched from end to end.

#include "broker/core/backlog.hpp"
#include "tests/property/commands.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

using namespace framefleet;
using namespace framefleet::broker;
using namespace framefleet::test;

namespace {

const std::vector<Route> kRoutes{{"edges"}, {"edges", "faces"}, {"faces"}};

/// One list of ready tasks in all, and for each route the order in which sources had their last
/// turn.
class NaiveBacklog {
 public:
  void push(const TaskId& task, const Route& route, bool front) {
    auto& turns = turns_[route];
    const bool has_turn = std::count(turns.begin(), turns.end(), task.source) > 0;
    if (!has_turn) turns.push_back(task.source);
    if (turns.size() == 1 && !has_turn) served_at_[route] = taken_;
    if (front) {
      ready_.push_front({task, route});
    } else {
      ready_.push_back({task, route});
    }
  }
  void delay(const TaskId& task, Time due_at) { delayed_.emplace_back(due_at, task); }

  template <class Serves>
  std::optional<TaskId> pop(Serves serves) {
    const Route* chosen = nullptr;
    for (const auto& [route, turns] : turns_) {
      if (turns.empty() || !serves(route)) continue;
      if (chosen == nullptr || served_at_[route] < served_at_[*chosen]) chosen = &route;
    }
    if (chosen == nullptr) return std::nullopt;
    const Route route = *chosen;
    auto& turns = turns_[route];
    const auto source = turns.front();
    turns.pop_front();
    const auto is_next = [&](const Ready& ready) {
      return ready.route == route && ready.task.source == source;
    };
    const auto position = std::find_if(ready_.begin(), ready_.end(), is_next);
    const TaskId task = position->task;
    ready_.erase(position);
    if (std::any_of(ready_.begin(), ready_.end(), is_next)) turns.push_back(source);
    served_at_[route] = ++taken_;
    return task;
  }
  std::optional<TaskId> pop_due(Time now) {
    const auto earliest = std::min_element(delayed_.begin(), delayed_.end());
    if (earliest == delayed_.end() || earliest->first > now) return std::nullopt;
    const TaskId task = earliest->second;
    delayed_.erase(earliest);
    return task;
  }
  Time next_due() const {
    const auto earliest = std::min_element(delayed_.begin(), delayed_.end());
    return earliest == delayed_.end() ? kNever : earliest->first;
  }
  bool holds(const TaskId& task) const {
    return std::any_of(ready_.begin(), ready_.end(),
                       [&](const auto& r) { return r.task == task; }) ||
           std::any_of(delayed_.begin(), delayed_.end(),
                       [&](const auto& d) { return d.second == task; });
  }
  std::size_t ready_count() const { return ready_.size(); }
  std::size_t delayed_count() const { return delayed_.size(); }

 private:
  struct Ready {
    TaskId task;
    Route route;
  };
  std::deque<Ready> ready_;
  std::map<Route, std::deque<std::uint64_t>> turns_;
  std::map<Route, std::uint64_t> served_at_;
  std::vector<std::pair<Time, TaskId>> delayed_;
  std::uint64_t taken_{0};
};

}  // namespace

TEST_CASE("the backlog gives what a naive one gives, in the same order") {
  CHECK(rc::check([] {
    Backlog backlog;
    NaiveBacklog naive;
    for (const auto& command : some_commands(6)) {
      const TaskId task = task_of(command.task);
      const Route& route = kRoutes[command.task / 3 % 3];
      const Time time{std::chrono::milliseconds{command.time}};
      const bool is_new = !naive.holds(task);  // the dispatcher pushes a task once
      if (command.kind <= 1 && is_new) {
        const bool front = command.kind == 0;
        front ? backlog.push_front(task, route) : backlog.push_back(task, route);
        naive.push(task, route, front);
      } else if (command.kind == 2 && is_new) {
        backlog.push_delayed(task, time);
        naive.delay(task, time);
      } else if (command.kind == 3) {
        RC_ASSERT(backlog.pop_due(time) == naive.pop_due(time));
      } else if (command.kind >= 4) {
        const auto serves = [&](const Route& asked) {
          return command.other >= 3 || asked == kRoutes[command.other];
        };
        RC_ASSERT(backlog.pop_ready(serves) == naive.pop(serves));
      }
      RC_ASSERT(backlog.ready_count() == naive.ready_count());
      RC_ASSERT(backlog.delayed_count() == naive.delayed_count());
      RC_ASSERT(backlog.next_due() == naive.next_due());
    }
  }));
}
