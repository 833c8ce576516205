#pragma once
// The producer of framefleet's own runs: the core and the channel of framefleet-producer, with
// payloads made in memory instead of pictures read from a disk. It waits for each task to be
// stored.

#include "bench/fleet/cue.hpp"
#include "bench/fleet/order.hpp"

namespace framefleet::bench {

/// Throws std::runtime_error in words.
void run_fleet_load(const Order& order, Cue& cue);

}  // namespace framefleet::bench
