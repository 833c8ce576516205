#pragma once
// Virtual time, what is planned in it, and chance: the only clock and the only random numbers of a
// simulation. Events of the same instant happen in the order in which they were planned.

#include "shared/base/time.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <utility>

namespace framefleet::simulation {

class Agenda {
 public:
  using Action = std::function<void()>;

  explicit Agenda(std::uint64_t seed) : random_(seed) {}

  Time now() const { return now_; }
  Time next() const { return planned_.empty() ? kNever : planned_.begin()->first.first; }
  /// Time never goes back: an earlier `when` is now.
  void move_to(Time when) { now_ = std::max(now_, when); }

  void at(Time when, Action action) {
    planned_.emplace(std::pair{when, ++count_}, std::move(action));
  }
  void after(Duration wait, Action action) { at(now_ + wait, std::move(action)); }
  /// Requires: something is planned.
  void run_next() {
    auto action = std::move(planned_.begin()->second);
    planned_.erase(planned_.begin());
    action();
  }

  /// Uniform in [0, n).
  std::uint64_t pick(std::uint64_t n) { return random_() % n; }
  bool chance(double probability) { return fraction() < probability; }
  /// Uniform in [0, 1).
  double fraction() { return static_cast<double>(random_() >> 11U) * 0x1.0p-53; }
  /// Uniform in [least, most).
  Duration delay(Duration least, Duration most) {
    const auto span = static_cast<std::uint64_t>((most - least).count());
    return least + Duration{static_cast<Duration::rep>(span == 0 ? 0 : pick(span))};
  }

 private:
  std::mt19937_64 random_;
  Time now_{};
  std::map<std::pair<Time, std::uint64_t>, Action> planned_;
  std::uint64_t count_{0};
};

}  // namespace framefleet::simulation
