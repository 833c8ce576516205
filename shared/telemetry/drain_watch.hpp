#pragma once
// From signals to the two things a loop must do about them: begin to drain, and stop now. Keeps the
// time a drain may take, whoever asked for it. Threads: the loop's.

#include "shared/base/time.hpp"
#include "shared/telemetry/program.hpp"

#include <cstdint>
#include <utility>

namespace framefleet::telemetry {

class DrainWatch {
 public:
  /// `timeout`: how long a drain may take.
  DrainWatch(Program& program, Duration timeout) : program_(program), timeout_(timeout) {}

  enum class Word : std::uint8_t {
    nothing,
    drain,  ///< Said once: take nothing new, finish, hand over, leave.
    stop,   ///< Leave now.
  };
  /// What the signals since the last call ask for, or that a drain has taken too long (stop).
  Word hear(Time now);
  /// The process drains although no signal asked for it: says so and starts the clock, as a signal
  /// would have. A first SIGTERM changes nothing then. Does nothing while it drains already.
  void begin(Time now);

  /// A SIGHUP was heard since the last call.
  bool take_hangup() { return std::exchange(hung_up_, false); }
  bool draining() const { return until_ != kNever; }
  /// A drain took too long (and was not cut short by a second signal).
  bool gave_up() const { return gave_up_; }
  /// Until when a drain may take.
  Time deadline() const { return until_; }

 private:
  Program& program_;
  Duration timeout_;
  StopRequest request_;
  Time until_{kNever};
  bool gave_up_{false};
  bool hung_up_{false};
};

}  // namespace framefleet::telemetry
