// The pool of a simulated worker: it has slots, in some workers a line, and goes on by itself while
// its session has yet to hear what ended.

#include "tests/simulation/world.hpp"

#include "shared/base/joining.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::simulation {

using namespace std::chrono_literals;

namespace {

/// The budget of a stage in the worker: a task that takes longer is given up.
constexpr Duration kStageTimeout = 3s;
/// Until the loop of a worker whose pool has a line turns again, at most; and of one that is held
/// up.
constexpr Duration kTurnMax = 4ms;
constexpr Duration kHeldUpMax = 500ms;

}  // namespace

void World::perform(Client& client, worker::Effects& effects) {
  join_sends(effects);
  std::vector<LeaseId> wanted_back;
  for (auto& effect : effects) {
    if (perform_common(client, effect)) continue;
    if (const auto* start_task = std::get_if<worker::StartTask>(&effect)) {
      take_up(client, start_task->task);
    } else if (const auto* back = std::get_if<worker::TakeBack>(&effect)) {
      wanted_back.insert(wanted_back.end(), back->leases.begin(), back->leases.end());
    } else if (const auto* release = std::get_if<ReleasePayload>(&effect)) {
      let_go(client, release->payload);
    }
  }
  if (!wanted_back.empty()) take_back(client, wanted_back);
}

void World::take_up(Client& client, const AssignedTask& task) {
  if (client.in_pool() >= client.slots() + client.line_max()) {
    promises_.break_with("a pool gets more than it has slots and a line for: " +
                         to_string(task.id));
  }
  if (needed_by(task.id).size() > client.detectors().size()) {
    promises_.break_with("a worker gets a task whose detectors it lacks: " + to_string(task.id));
  }
  client.line.push_back(task);
  begin_next(client);
  if (client.line.empty()) return;
  ++report_.lined_up;
  if (task.task_class == TaskClass::live || client.deadlines.contains(task.lease)) {
    promises_.break_with("waits in a pool, where its deadline means nothing: " +
                         to_string(task.id));
  }
}

void World::begin_next(Client& client) {
  while (!client.line.empty() && client.pool.size() + client.tests < client.slots()) {
    const auto task = std::move(client.line.front());
    client.line.pop_front();
    work(client, task);
  }
}

void World::work(Client& client, const AssignedTask& task) {
  client.pool[task.lease] = task.id;
  promises_.worker_starts(task, client.shelf);
  if (promises_.stored().contains(task.id)) ++report_.worked_again;
  if (const auto deadline = client.deadlines.find(task.lease);
      deadline != client.deadlines.end() && deadline->second <= now_of(client)) {
    promises_.break_with("work begins after the deadline: " + to_string(task.id));
  }
  const Duration usual = quick_ ? 4ms : 200ms;
  const Duration needed = agenda_.delay(1ms, agenda_.chance(0.03) ? Duration{9s} : usual);
  const bool is_watched = agenda_.chance(0.5);  // or nobody measures its time
  if (needed > kStageTimeout && is_watched) {
    plan(client, kStageTimeout, [this, &client, lease = task.lease] {
      hear_of_ends(client);
      with<worker::Session>(client, [&](auto& session, auto& out) {
        session.overdue(lease, Reason::detect_timeout, "too slow", now_of(client), out);
      });
    });
  }
  plan(client, needed, [this, &client, task] { end_work(client, task); });
}

/// The next one begins before the session hears of the end.
void World::end_work(Client& client, const AssignedTask& task) {
  client.pool.erase(task.lease);
  client.deadlines.erase(task.lease);
  if (is_deadly(task.id)) {
    note(client.name() + " dies with " + to_string(task.id));
    crash(client);
    return;
  }
  client.ended.push_back(task);
  begin_next(client);
  if (client.line_max() == 0) return hear_of_ends(client);
  const Duration turn_max = agenda_.chance(0.1) ? kHeldUpMax : kTurnMax;
  plan(client, agenda_.delay({}, turn_max), [this, &client] { hear_of_ends(client); });
}

/// One by one, or several in one turn of the loop, whose results leave together.
void World::hear_of_ends(Client& client) {
  const bool together = agenda_.chance(0.3);
  while (!client.ended.empty()) {
    with<worker::Session>(client, [&](auto& session, auto& out) {
      do {
        hear_of_end(client, session, out);
      } while (together && !client.ended.empty());
    });
  }
}

void World::hear_of_end(Client& client, worker::Session& session, worker::Effects& out) {
  const auto task = std::move(client.ended.front());
  client.ended.erase(client.ended.begin());
  if (is_poison(task.id)) {
    session.failed(task.lease, Reason::detector_error, "poison", now_of(client), out);
  } else if (is_refused(task.id)) {
    session.failed(task.lease, Reason::not_a_picture, "not a picture", now_of(client), out);
  } else {
    const auto payload = client.shelf.put({task.id, true, task.lease});
    session.finished(task.lease, {payload, 1, kResultBytes}, quick_ ? 2ms : 100ms, now_of(client),
                     out);
  }
}

void World::take_back(Client& client, const std::vector<LeaseId>& leases) {
  with<worker::Session>(client, [&](auto& session, auto& out) {
    std::vector<LeaseId> taken;
    for (const auto& lease : leases) {
      const auto gone =
          std::erase_if(client.line, [&](const AssignedTask& task) { return task.lease == lease; });
      if (gone > 0) {
        taken.push_back(lease);
      } else {
        ++report_.begun_before;
        session.begun(lease, out);
      }
    }
    report_.taken_back += taken.size();
    if (!taken.empty()) session.taken_back(taken, now_of(client), out);
  });
}

}  // namespace framefleet::simulation
