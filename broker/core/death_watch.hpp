#pragma once
// Whether workers die one after the other: then something that is handed out kills them, and
// handing it out further would empty the fleet.

#include "shared/base/time.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>

namespace framefleet::broker {

class DeathWatch {
 public:
  explicit DeathWatch(Duration window) : window_(window) {}

  /// One of `workers` (itself included) has died.
  void died(Time now, std::uint64_t workers) { deaths_.push_back({now, workers}); }
  /// Forgets what is older than the window, then decides whether the alarm is on: within it, deaths
  /// were more than half of what the fleet had at its largest, and three at least, because one or
  /// two are no pattern. True if it went on or off with this call.
  bool look(Time now) {
    while (!deaths_.empty() && deaths_.front().at + window_ <= now) deaths_.pop_front();
    std::uint64_t fleet = 0;
    for (const auto& death : deaths_) fleet = std::max(fleet, death.workers);
    const bool on = deaths_.size() >= 3 && 2 * deaths_.size() > fleet;
    const bool changed = on != on_;
    on_ = on;
    return changed;
  }
  bool on() const { return on_; }
  std::uint64_t count() const { return deaths_.size(); }
  /// When the oldest death is forgotten; kNever when there is none.
  Time next_deadline() const { return deaths_.empty() ? kNever : deaths_.front().at + window_; }

 private:
  struct Death {
    Time at{};
    std::uint64_t workers{0};
  };
  Duration window_;
  std::deque<Death> deaths_;
  bool on_{false};
};

}  // namespace framefleet::broker
