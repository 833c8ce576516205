#pragma once
// The workers of a crowd: the core and the messages of framefleet-worker, one slot each, but no
// pool: a task is answered at once with what the stub detector says of every picture.

#include "bench/fleet/cue.hpp"
#include "bench/fleet/order.hpp"

namespace framefleet::bench {

/// Order::connections of them. Reports how many tasks all of them have done. Throws
/// std::runtime_error in words.
void run_worker_crowd(const Order& order, Cue& cue);

}  // namespace framefleet::bench
