#pragma once
// The shell of `framefleet autoscale`: workers on this machine for a broker that is there already,
// as many as it needs. Performs what a Supervisor of workers alone and a Scaler decide; what it
// decided, and why, is a line of its log. The workers write to the same stderr.
//
// Loop: tick, perform effects, wait until the next deadline or for a signal, the broker or a
// child's end, take in what there is, repeat. Threads: one, this one, for its whole life.

#include "cli/autoscale_options.hpp"
#include "cli/children.hpp"
#include "cli/scaler.hpp"
#include "cli/supervisor.hpp"

#include "shared/telemetry/log.hpp"
#include "shared/telemetry/signals.hpp"

#include <string>

namespace framefleet::cli {

class AutoscaleRun {
 public:
  /// `worker`: the program. Requires: the options were checked.
  AutoscaleRun(const AutoscaleOptions& options, std::string worker, telemetry::Logger& log,
               const telemetry::Signals& signals);

  /// Until it is told to end. Answers the exit code. Called once.
  int run();

 private:
  void perform();
  void start(const ChildName& name);
  void tell(const Scaled& scaled);
  void wait();
  void take_signals();
  void reap_children();
  int conclude();

  AutoscaleOptions options_;
  std::string program_;
  std::string prefix_;
  telemetry::Logger& log_;
  const telemetry::Signals& signals_;
  telemetry::StopRequest stop_;
  Supervisor supervisor_;
  Scaler scaler_;
  SupervisorEffects effects_;
  Children children_;
};

}  // namespace framefleet::cli
