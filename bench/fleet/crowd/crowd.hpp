#pragma once
// Many peers of one kind in one process, each with its own core and its own connection, as many
// processes would have them. What a core wants done beside talking is the caller's.
//
// Threads: one. Errors: throws std::runtime_error in words.

#include "shared/base/joining.hpp"
#include "shared/telemetry/monotonic.hpp"
#include "shared/transport/channel.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/fleet/crowd/switchboard.hpp"
#include "bench/fleet/cue.hpp"

namespace framefleet::bench {

template <class Core, class Effects>
class Crowd {
 public:
  using Effect = typename Effects::value_type;
  /// Does what an effect asks of the peer with this number; appends what comes of it.
  using Act = std::function<void(std::size_t, Effect&, Effects&)>;

  Crowd(const std::string& endpoint, std::deque<Core> cores, Act act)
      : cores_(std::move(cores)),
        due_at_(cores_.size(), kNever),
        board_(endpoint, cores_.size(), kCueFd),
        act_(std::move(act)) {}

  std::deque<Core>& cores() { return cores_; }
  transport::PayloadStore& payloads() { return board_.payloads(); }

  /// Until the broker has welcomed all of them; few at a time, or their first words would be lost
  /// in its listener's queue.
  void connect() {
    constexpr std::size_t kDiallingMax = 64;
    for (std::size_t from = 0; from < cores_.size(); from += kDiallingMax) {
      const auto to = std::min(from + kDiallingMax, cores_.size());
      for (auto i = from; i < to; ++i) {
        with(i, [](Core& core, Time now, Effects& out) { core.tick(now, out); });
      }
      while (!all(from, to, [](const Core& core) { return core.link().up(); })) {
        turn(std::chrono::milliseconds(50));
      }
    }
  }

  /// Has peer `i` told something: `tell(core, now, effects)`.
  template <class Tell>
  void with(std::size_t i, const Tell& tell) {
    tell(cores_[i], telemetry::monotonic_now(), effects_);
    perform(i);
  }
  template <class Tell>
  void with_each(const Tell& tell) {
    for (std::size_t i = 0; i < cores_.size(); ++i) with(i, tell);
  }

  /// What is due and what has come; waits so long for it.
  void turn(Duration patience) {
    const Time now = telemetry::monotonic_now();
    std::vector<std::size_t> due;
    for (const auto& [at, i] : due_) {
      if (at > now) break;
      due.push_back(i);
    }
    for (const auto i : due) {
      with(i, [](Core& core, Time at, Effects& out) { core.tick(at, out); });
    }
    const auto next = due_.empty() ? patience : due_.begin()->first - now;
    for (const auto i : board_.wait(std::clamp(next, Duration::zero(), patience))) {
      while (auto message = board_.receive(i)) {
        cores_[i].receive(std::move(*message), telemetry::monotonic_now(), effects_);
      }
      perform(i);
    }
  }

  /// Until each has left in order, or the time is over.
  void until_left(Duration patience) {
    const Time until = telemetry::monotonic_now() + patience;
    while (!all(0, cores_.size(), [](const Core& core) { return core.over(); }) &&
           telemetry::monotonic_now() < until) {
      turn(std::chrono::milliseconds(50));
    }
  }

 private:
  template <class Is>
  bool all(std::size_t from, std::size_t to, const Is& is) const {
    for (auto i = from; i < to; ++i) {
      if (!is(cores_[i])) return false;
    }
    return true;
  }

  void perform(std::size_t i) {
    auto line = board_.line(i);
    while (!effects_.empty()) {
      auto effects = std::exchange(effects_, {});
      join_sends(effects);
      for (auto& effect : effects) {
        if (!transport::perform_common(line, effect)) act_(i, effect, effects_);
      }
    }
    const Time due = cores_[i].next_deadline();
    if (due == due_at_[i]) return;
    due_.erase({due_at_[i], i});
    due_at_[i] = due;
    if (due != kNever) due_.emplace(due, i);
  }

  std::deque<Core> cores_;
  std::vector<Time> due_at_;
  std::set<std::pair<Time, std::size_t>> due_;
  Switchboard board_;
  Act act_;
  Effects effects_;
};

}  // namespace framefleet::bench
