#pragma once
// The producers of a crowd: the core of framefleet-producer, one source each, with payloads made in
// memory. All of them together have as many tasks on their way as one producer of fleet_load.hpp.

#include "bench/fleet/cue.hpp"
#include "bench/fleet/order.hpp"

namespace framefleet::bench {

/// Order::connections of them. Throws std::runtime_error in words.
void run_producer_crowd(const Order& order, Cue& cue);

}  // namespace framefleet::bench
