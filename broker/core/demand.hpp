#pragma once
// How many workers the fleet should have:
//
//   ceil((offered rate × mean service time ÷ 0.8 + batch seconds that wait ÷ drain target)
//        ÷ slots per worker)
//
// The first term is for pictures that come at a pace of their own, the second for those that can
// wait. Pictures are counted where they are offered, not where they are admitted: a live frame that
// a newer one replaced, here or in its producer, is demand as well. The rate is taken over a
// sliding window, in which every picture stands with what its source needed lately: a picture
// costs a constant time, a look as well.
//
// 0: nothing was offered within the window and nothing waits. While there is anything, 1 at least,
// also where nothing is measured yet. Pure; durations in, a number out.

#include "broker/core/sliding_sum.hpp"

#include "shared/base/time.hpp"

#include <cstdint>

namespace framefleet::broker {

struct DemandOptions {
  /// Over which the rate is taken; frames that come seldom need a longer one.
  Duration window{std::chrono::seconds{15}};
  /// Within which the batch tasks that wait are to be done.
  Duration drain_target{std::chrono::minutes{1}};
};

/// Beside what was offered(): work that is known without waiting for it.
struct KnownWork {
  bool any{false};          ///< Something is in progress or still to come.
  double batch_seconds{0};  ///< Of one slot, for batch tasks that wait, here or in their producers.
  double paced_slots{0};    ///< Slots kept busy by batch sources that say how often they give one.
};

/// What the number is made of, for people and logs.
struct DemandRow {
  std::uint64_t desired_workers{0};
  double offered_slots{0};    ///< That what comes would keep busy all the time.
  double waiting_seconds{0};  ///< Of one slot, for what waits.
  double slots_per_worker{1};
};

class Demand {
 public:
  explicit Demand(const DemandOptions& options)
      : drain_target_(options.drain_target), pictures_(options.window), seconds_(options.window) {}

  /// So many pictures were offered, each of which takes `service`; 0: nobody knows yet.
  void offered(double pictures, Duration service, Time now) {
    pictures_.add(pictures, now);
    seconds_.add(pictures * seconds(service), now);
  }
  /// What the workers that do not drain have together. Without any, the latest word stands.
  void note_workers(std::uint64_t workers, std::uint64_t slots);

  DemandRow row(const KnownWork& known, Time now) const;

 private:
  Duration drain_target_;
  SlidingSum pictures_;
  SlidingSum seconds_;  // of work
  double slots_per_worker_{1};
};

}  // namespace framefleet::broker
