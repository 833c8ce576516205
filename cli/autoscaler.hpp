#pragma once
// How many workers to start, or to let go, next: the decision alone.
//
// Looks come one after the other: how many workers the broker says would do, and how many there
// are. More are started when more were needed in every look of the last `up_delay`, and not sooner
// than that after the start before. Some are let go when fewer would have done in every look of the
// last `down_delay`: down to the most that any of these looks asked for. So a number that goes up
// and down does not take the workers with it. Without a look nothing is decided, and what was seen
// before a gap counts no more: while the broker is away the fleet stays as it is. Below the least
// and above the most number nothing is waited for.
//
// Pure; times are handed in.

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>

namespace framefleet::cli {

struct WorkerRange {
  std::uint32_t min{1};  ///< 0: none while nothing is to be done.
  std::uint32_t max{1};
  friend bool operator==(const WorkerRange&, const WorkerRange&) = default;
};
/// Of "MIN:MAX". Errors: what is wrong with it and what is right, for people.
Result<WorkerRange, std::string> parse_worker_range(const std::string& text);

struct AutoscalerOptions {
  WorkerRange range;
  Duration up_delay{std::chrono::seconds(3)};
  Duration down_delay{std::chrono::minutes(1)};
};

/// Start or drain so many workers, or neither.
struct ScaleStep {
  std::uint32_t start{0};
  std::uint32_t drain{0};
  friend bool operator==(const ScaleStep&, const ScaleStep&) = default;
};

class Autoscaler {
 public:
  explicit Autoscaler(const AutoscalerOptions& options) : options_(options) {}

  /// `desired` by the broker; `present`: running or about to, without those that leave.
  ScaleStep look(std::uint64_t desired, std::uint32_t present, Time now);
  /// The broker did not answer.
  void lost_sight();

 private:
  /// The largest or smallest number of the looks within a time.
  template <class Better>
  class Extreme {
   public:
    void add(std::uint32_t value, Time now, Duration within) {
      while (!looks_.empty() && !Better{}(looks_.back().second, value)) looks_.pop_back();
      looks_.emplace_back(now, value);
      while (looks_.front().first + within < now) looks_.pop_front();
    }
    std::uint32_t value() const { return looks_.front().second; }
    void forget() { looks_.clear(); }

   private:
    std::deque<std::pair<Time, std::uint32_t>> looks_;  // better ones first: no value twice
  };

  AutoscalerOptions options_;
  Time looking_since_{kNever};
  Time started_at_{Time::min()};
  Extreme<std::less<>> least_;    // of up_delay
  Extreme<std::greater<>> most_;  // of down_delay
};

}  // namespace framefleet::cli
