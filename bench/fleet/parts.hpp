#pragma once
// This program as one part of a run.

#include "bench/fleet/order.hpp"

namespace framefleet::bench {

/// Answers the exit code.
int run_part(const Order& order);

}  // namespace framefleet::bench
