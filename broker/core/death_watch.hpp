#pragma once
// Whether one worker dies after the other: then something that is handed out kills them, and
// handing it out further would empty the fleet.

#include "shared/base/time.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

namespace framefleet::broker {

class DeathWatch {
 public:
  explicit DeathWatch(Duration window) : window_(window) {}

  /// One of `workers` (itself included) has died. One that dies again and again counts once.
  void died(const std::string& name, Time now, std::uint64_t workers) {
    if (deaths_.size() < kDeathsMax || deaths_.contains(name)) deaths_[name] = {now, workers};
  }
  /// Forgets what is older than the window, then decides whether the alarm is on: within it more
  /// than half of the workers died that the fleet had at its largest, and two at least, because one
  /// is no pattern. True if it went on or off with this call.
  bool look(Time now) {
    std::erase_if(deaths_, [&](const auto& entry) { return entry.second.at + window_ <= now; });
    std::uint64_t fleet = 0;
    next_deadline_ = kNever;
    for (const auto& [name, death] : deaths_) {
      fleet = std::max(fleet, death.workers);
      next_deadline_ = std::min(next_deadline_, death.at + window_);
    }
    const bool on = deaths_.size() >= 2 && 2 * deaths_.size() > fleet;
    const bool changed = on != on_;
    on_ = on;
    return changed;
  }
  bool on() const { return on_; }
  /// Workers that died within the window.
  std::uint64_t count() const { return deaths_.size(); }
  /// When the oldest death is forgotten; kNever when there is none. As of the last look().
  Time next_deadline() const { return next_deadline_; }

 private:
  /// Enough to tell for any fleet that they are many.
  static constexpr std::size_t kDeathsMax = 1024;

  struct Death {
    Time at{};
    std::uint64_t workers{0};
  };
  Duration window_;
  std::map<std::string, Death> deaths_;
  Time next_deadline_{kNever};
  bool on_{false};
};

}  // namespace framefleet::broker
