#pragma once
// A worker's core between a pool and a broker that the test plays. Two slots.

#include "tests/support/effect_log.hpp"
#include "worker/core/session.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <variant>
#include <vector>

namespace framefleet::worker {

inline TaskId task(std::uint64_t sequence) { return {1, 1, sequence, 0}; }
inline LeaseId lease(std::uint64_t number) { return {7, number}; }

/// A session in the hands of a broker that the test plays.
struct SessionFixture : test::EffectLog<Effects> {
  /// The pool takes so many beyond its slots.
  explicit SessionFixture(std::size_t line_max = 0)
      : session(Hello{.role = Role::worker, .name = "w", .slots = 2}, LinkOptions{}, line_max) {
    session.tick(now, effects);
    welcome(7);
  }

  void welcome(std::uint32_t incarnation) {
    session.receive(Welcome{.incarnation = incarnation,
                            .heartbeat_interval = std::chrono::milliseconds{500},
                            .peer_timeout = std::chrono::milliseconds{2500}},
                    now, effects);
  }
  /// Task n comes under lease n with payload n.
  void assign(std::uint64_t number, TaskClass task_class = TaskClass::batch,
              Duration ttl_left = Duration::zero()) {
    AssignedTask assigned;
    assigned.id = task(number);
    assigned.lease = lease(number);
    assigned.ttl_left = ttl_left;
    assigned.token = "token";
    assigned.task_class = task_class;
    assigned.payload = {PayloadId{number}, 1, 1000};
    session.receive(Assign{{assigned}}, now, effects);
  }
  /// Its result is payload 100 + n.
  void finish(std::uint64_t number) {
    session.finished(lease(number), {PayloadId{100 + number}, 1, 10}, std::chrono::milliseconds{5},
                     now, effects);
  }
  void reconnect(std::uint32_t incarnation) {
    session.receive(Goodbye{}, now, effects);
    now += std::chrono::milliseconds{300};
    session.tick(now, effects);
    effects.clear();
    welcome(incarnation);
  }
  /// Time passes with a broker that is heard every second; beats go out as they are due.
  void wait(Duration time) {
    for (const Time end = now + time; now < end;) {
      now = std::min(end, std::max(now + std::chrono::milliseconds{1}, session.next_deadline()));
      session.receive(Heartbeat{7, {}}, now, effects);
      session.tick(now, effects);
    }
  }

  std::vector<TaskId> started() const {
    std::vector<TaskId> tasks;
    for (const auto& start : all<StartTask>()) tasks.push_back(start.task.id);
    return tasks;
  }
  bool released(std::uint64_t payload) const {
    const auto releases = all<ReleasePayload>();
    return std::count(releases.begin(), releases.end(), ReleasePayload{PayloadId{payload}}) == 1;
  }

  Session session;
  Time now{std::chrono::seconds{1}};
};

}  // namespace framefleet::worker
