#pragma once
// The end of a fleet as other people's fleets have it: the core and the messages of
// framefleet-sink, but no store. An outcome is answered for at once, and dropped.

#include "bench/fleet/cue.hpp"
#include "bench/fleet/order.hpp"

namespace framefleet::bench {

/// Reports how many outcomes have come, each once and ok, and how long after the moment at which
/// its task was to be sent (FleetTasks::description). Throws std::runtime_error in words.
void run_collector(const Order& order, Cue& cue);

}  // namespace framefleet::bench
