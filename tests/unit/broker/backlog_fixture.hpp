#pragma once
// Sources and tasks for the tests of the backlog, which links them and owns none. Serves tasks as a
// fleet with one slot would: takes one, lets it cost what its source's tasks cost, settles up.

#include "broker/core/backlog.hpp"

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace framefleet::test {

inline constexpr broker::RouteMask kAllRoutes = ~broker::RouteMask{0};

class BacklogFixture {
 public:
  explicit BacklogFixture(double lower_share = 0.1) : backlog(lower_share) {
    faces = *routes.open({"faces"});
    edges = *routes.open({"edges"});
  }

  broker::Source& source(const std::string& name, std::uint32_t weight = 1) {
    auto& added = sources_.emplace_back();
    added.name = name;
    added.hash = sources_.size();
    added.weight = weight;
    return added;
  }
  /// The ready tasks of a route, as for_each() shows them.
  std::vector<const broker::Task*> waiting(broker::RouteId route) const {
    std::vector<const broker::Task*> found;
    backlog.for_each(route, [&found](const broker::Task& task) { found.push_back(&task); });
    return found;
  }
  /// Not pushed yet.
  broker::Task& task(broker::Source& source, std::uint8_t priority = 0, broker::RouteId route = 0,
                     TaskClass task_class = TaskClass::batch) {
    auto& added = tasks_.emplace_back();
    added.id = {source.hash, 1, sequences_[source.hash]++, 0};
    added.source = &source;
    added.priority = priority;
    added.route = route;
    added.task_class = task_class;
    return added;
  }
  broker::Task& push(broker::Source& source, std::uint8_t priority = 0, broker::RouteId route = 0,
                     TaskClass task_class = TaskClass::batch) {
    auto& added = task(source, priority, route, task_class);
    backlog.push_back(added);
    return added;
  }

  /// "a0": the name of its source and its number; "" when there is none.
  static std::string name_of(const broker::Task* task) {
    return task == nullptr ? "" : task->source->name + std::to_string(task->id.sequence);
  }
  std::string take(broker::RouteMask allowed = kAllRoutes, bool live_too = true) {
    return name_of(backlog.take(allowed, live_too, routes));
  }
  /// "a0 b0 a1": the next so many.
  std::string take_some(int count) {
    std::string line;
    for (int i = 0; i < count; ++i) line += (i == 0 ? "" : " ") + take();
    return line;
  }

  struct Share {
    Duration time{};
    int tasks{0};
  };
  /// Serves so many tasks; whoever's task was taken pushes another one. `cost[source]`: what each
  /// of its tasks takes.
  std::map<std::string, Share> serve(int count, const std::map<std::string, Duration>& cost) {
    std::map<std::string, Share> shares;
    for (int i = 0; i < count; ++i) {
      auto* const taken = backlog.take(kAllRoutes, true, routes);
      if (taken == nullptr) break;
      auto& source = *taken->source;
      const Duration service = cost.at(source.name);
      shares[source.name].time += service;
      ++shares[source.name].tasks;
      order += source.name;
      broker::Backlog::settle_up(*taken, service);
      source.service.add(service);
      backlog.push_back(*taken);
    }
    return shares;
  }

  broker::Backlog backlog;
  broker::RouteTable routes;
  broker::RouteId faces{};
  broker::RouteId edges{};
  std::string order;  ///< The sources in the order in which serve() took from them.

 private:
  std::deque<broker::Source> sources_;
  std::deque<broker::Task> tasks_;
  std::map<std::uint64_t, std::uint64_t> sequences_;
};

}  // namespace framefleet::test
