#pragma once
// What a process says about itself: is its loop turning, and is it ready to work. The loop writes,
// /healthz and /readyz read.
// Threads: the loop's thread writes, any thread reads; nothing here blocks but a short lock on a
// text.

#include "shared/base/time.hpp"
#include "shared/telemetry/snapshot.hpp"

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

namespace framefleet::telemetry {

class Health {
 public:
  struct Readiness {
    bool ready{false};
    std::string text{"starting"};
  };

  /// The loop has come round once more.
  void turned(Time now) {
    last_turn_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  /// A short text for people: "serving", "draining", "waiting for the broker".
  void ready(std::string text) { readiness_.publish({true, std::move(text)}); }
  void not_ready(std::string text) { readiness_.publish({false, std::move(text)}); }

  /// Time since the last turn.
  Duration loop_age(Time now) const {
    return now - Time{Duration{last_turn_.load(std::memory_order_relaxed)}};
  }
  Readiness readiness() const { return readiness_.copy(); }

 private:
  std::atomic<std::int64_t> last_turn_{0};  ///< CLOCK_MONOTONIC, ns.
  Snapshot<Readiness> readiness_;
};

}  // namespace framefleet::telemetry
