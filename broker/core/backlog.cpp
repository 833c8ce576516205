#include "broker/core/backlog.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <bit>
#include <memory>
#include <utility>

namespace framefleet::broker {
namespace {

/// The quantum forgets a long service by 1/32 with every task.
constexpr int kQuantumDecay = 32;

double ns(Duration duration) { return static_cast<double>(duration.count()); }

}  // namespace

Duration Backlog::expected_service(const Task& task, const RouteTable& routes) {
  if (task.source->service.measured()) return task.source->service.value();
  const auto& route = routes.service(task.route);
  return route.measured() ? route.value() : kUnmeasuredService;
}

void Backlog::append(Lane& lane, Flow& flow, bool spent) {
  flow.line = spent ? 1 - lane.current : lane.current;
  auto& line = lane.lines.at(flow.line);
  flow.before = line.last;
  flow.behind = nullptr;
  (line.last == nullptr ? line.first : line.last->behind) = &flow;
  line.last = &flow;
}

void Backlog::unlink(Lane& lane, Flow& flow) {
  auto& line = lane.lines.at(flow.line);
  (flow.before == nullptr ? line.first : flow.before->behind) = flow.behind;
  (flow.behind == nullptr ? line.last : flow.behind->before) = flow.before;
  flow.before = flow.behind = nullptr;
}

Flow& Backlog::flow_for(const Task& task) {
  auto& source = *task.source;
  const auto level = level_of(task);
  for (auto& flow : source.flows) {
    if (flow->level == level && flow->route == task.route) return *flow;
  }
  auto& flow = source.flows.emplace_back(std::make_unique<Flow>());
  flow->source = &source;
  flow->level = level;
  flow->route = task.route;
  return *flow;
}

/// Puts a flow that has a task into the line of its lane, unless it stands there.
void Backlog::list(Flow& flow) {
  if (flow.listed || flow.source->paused || flow.first == nullptr) return;
  auto& lane = lane_of(flow);
  if (lane.empty()) begin_again(flow.level, flow.route);
  renew(lane, flow);
  flow.listed = true;
  append(lane, flow, flow.credit <= Duration::zero());
  lane.weights += flow.source->weight;
  if ((ready_.at(flow.level) & mask_of(flow.route)) != 0) return;
  ready_.at(flow.level) |= mask_of(flow.route);
  note_ready(flow.level);
}

/// The routes of a level changed, and with them perhaps those of all that are as live as it is.
void Backlog::note_ready(std::size_t level) {
  RouteMask routes = 0;
  for (std::size_t alike = level % 2; alike < kLevels; alike += 2) routes |= ready_[alike];
  (is_live(level) ? ready_live_ : ready_batch_) = routes;
}

/// A route that was idle goes on level with the one of its rivals that was given least: nothing is
/// made up for, and what it is ahead of them it owes as far as a few tasks go.
void Backlog::begin_again(std::size_t level, RouteId route) {
  constexpr int kTasksOwed = 4;
  const RouteMask rivals = ready_.at(level) & rivals_.at(route);
  if (rivals == 0) return;
  auto& lane = lanes_.at(level).at(route);
  const double least = lanes_.at(level).at(choose_route(level, rivals)).given;
  lane.given = std::clamp(lane.given, least, least + kTasksOwed * ns(lane.quantum));
}

void Backlog::unlist(Flow& flow) {
  if (!flow.listed) return;
  auto& lane = lane_of(flow);
  unlink(lane, flow);
  flow.listed = false;
  lane.weights -= flow.source->weight;
  if (!lane.empty()) return;
  ready_.at(flow.level) &= ~mask_of(flow.route);
  note_ready(flow.level);
}

/// What a flow is given for the rounds that began since it was here last: one round's credit at
/// most, and what it owes is paid first.
void Backlog::renew(const Lane& lane, Flow& flow) {
  flow.credit -= std::exchange(flow.source->underpaid, Duration::zero());
  if (flow.round == lane.round) return;
  const double share = ns(lane.credit) * flow.source->weight;
  const auto rounds = flow.round == 0 ? 1 : lane.round - flow.round;
  flow.round = lane.round;
  const double credit = ns(flow.credit) + share * static_cast<double>(rounds);
  flow.credit = Duration{static_cast<Duration::rep>(std::min(credit, share))};
}

void Backlog::link_first(Flow& flow, Task& task) {
  task.flow = &flow;
  task.before = nullptr;
  task.behind = flow.first;
  (flow.first == nullptr ? flow.last : flow.first->before) = &task;
  flow.first = &task;
}

void Backlog::unlink_task(Flow& flow, Task& task) {
  (task.before == nullptr ? flow.first : task.before->behind) = task.behind;
  (task.behind == nullptr ? flow.last : task.behind->before) = task.before;
  task.before = task.behind = nullptr;
  task.flow = nullptr;
}

void Backlog::push_back(Task& task) {
  auto& flow = flow_for(task);
  task.flow = &flow;
  task.before = flow.last;
  task.behind = nullptr;
  (flow.last == nullptr ? flow.first : flow.last->behind) = &task;
  flow.last = &task;
  list(flow);
}

void Backlog::push_front(Task& task) {
  auto& flow = flow_for(task);
  link_first(flow, task);
  list(flow);
}

void Backlog::remove(Task& task) {
  FRAMEFLEET_ASSERT(task.flow != nullptr);
  auto& flow = *task.flow;
  unlink_task(flow, task);
  if (flow.first == nullptr) unlist(flow);
}

void Backlog::replace(Task& old, Task& fresh) {
  FRAMEFLEET_ASSERT(old.flow != nullptr && old.source == fresh.source);
  auto& flow = *old.flow;
  if (flow.level != level_of(fresh) || flow.route != fresh.route) {
    remove(old);
    push_back(fresh);
    return;
  }
  unlink_task(flow, old);
  link_first(flow, fresh);
}

Task* Backlog::take(RouteMask allowed, bool live_too, const RouteTable& routes) {
  std::size_t chosen = kLevels;
  for (std::size_t level = kLevels; level-- > 0;) {
    if ((ready_.at(level) & allowed) == 0 || (is_live(level) && !live_too)) continue;
    if (chosen == kLevels) {
      chosen = level;
      continue;
    }
    // `chosen` has others below it. If it owes them a turn, look among those.
    if (owed_below_.at(chosen) <= 0) break;
    chosen = level;
  }
  if (chosen == kLevels) return nullptr;
  Task* task = take_from(chosen, choose_route(chosen, allowed), routes);
  const double cost = ns(task->charged);
  bool is_lowest = true;
  for (std::size_t level = 0; level < kLevels; ++level) {
    if (ready_.at(level) == 0 && level > chosen) {
      owed_below_.at(level) = std::min(owed_below_.at(level), 0.0);  // the lower ones go anyway
    }
    if ((ready_.at(level) & allowed) == 0 || (is_live(level) && !live_too)) continue;
    if (level < chosen) is_lowest = false;
    // A higher level stood back for this one: part of what it owed is paid.
    if (level > chosen) owed_below_.at(level) -= (1 - lower_share_) * cost;
  }
  auto& owed = owed_below_.at(chosen);
  owed = is_lowest ? std::min(owed, 0.0) : owed + lower_share_ * cost;
  return task;
}

RouteId Backlog::choose_route(std::size_t level, RouteMask allowed) const {
  RouteMask left = ready_.at(level) & allowed;
  auto chosen = static_cast<RouteId>(std::countr_zero(left));
  for (left &= left - 1; left != 0; left &= left - 1) {
    const auto route = static_cast<RouteId>(std::countr_zero(left));
    if (lanes_.at(level).at(route).given < lanes_.at(level).at(chosen).given) chosen = route;
  }
  return chosen;
}

Task* Backlog::take_from(std::size_t level, RouteId route, const RouteTable& routes) {
  auto& lane = lanes_.at(level).at(route);
  for (int rounds = 0;;) {
    auto* first = lane.lines.at(lane.current).first;
    if (first == nullptr) {  // nobody has credit left: a new round
      FRAMEFLEET_ASSERT(!lane.empty());
      lane.current = 1 - lane.current;
      ++lane.round;
      // Everybody owes more than a round is worth: larger ones, so that this ends.
      if (++rounds > 1) lane.quantum *= 2;
      lane.credit = lane.quantum;
      continue;
    }
    Flow& flow = *first;
    unlink(lane, flow);
    renew(lane, flow);
    if (flow.credit <= Duration::zero()) {
      append(lane, flow, true);
      continue;
    }
    Task& task = *flow.first;
    unlink_task(flow, task);
    task.charged = expected_service(task, routes);
    flow.credit -= task.charged;
    lane.given += ns(task.charged) / static_cast<double>(lane.weights);
    lane.quantum = std::max(task.charged, lane.quantum - lane.quantum / kQuantumDecay);
    append(lane, flow, flow.credit <= Duration::zero());
    if (flow.first == nullptr) unlist(flow);
    return &task;
  }
}

void Backlog::settle_up(Task& task, Duration service) {
  task.source->underpaid += service - std::exchange(task.charged, Duration::zero());
}

void Backlog::pause(Source& source) {
  if (source.paused) return;
  for (auto& flow : source.flows) unlist(*flow);
  source.paused = true;
}

void Backlog::resume(Source& source) {
  if (!source.paused) return;
  source.paused = false;
  for (auto& flow : source.flows) list(*flow);
}

void Backlog::set_weight(Source& source, std::uint32_t weight) {
  for (auto& flow : source.flows) unlist(*flow);
  source.weight = weight;
  for (auto& flow : source.flows) list(*flow);
}

void Backlog::forget(Source& source) {
  for (const auto& flow : source.flows) FRAMEFLEET_ASSERT(flow->first == nullptr && !flow->listed);
  source.flows.clear();
  source.underpaid = {};
}

Time Backlog::oldest() const {
  Time oldest = kNever;
  for (std::size_t level = 0; level < kLevels; ++level) {
    for (RouteMask left = ready_.at(level); left != 0; left &= left - 1) {
      const auto route = static_cast<RouteId>(std::countr_zero(left));
      for (const auto& line : lanes_.at(level).at(route).lines) {
        for (const Flow* flow = line.first; flow != nullptr; flow = flow->behind) {
          oldest = std::min(oldest, flow->first->admitted_at);
        }
      }
    }
  }
  return oldest;
}

}  // namespace framefleet::broker
