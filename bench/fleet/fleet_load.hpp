#pragma once
// The producer of framefleet's own runs: the core and the channel of framefleet-producer, with
// payloads made in memory instead of pictures read from a disk. It waits for each task to be
// stored.

#include <cstdint>
#include <string>

#include "bench/fleet/cue.hpp"
#include "bench/fleet/order.hpp"

namespace framefleet::bench {

/// Throws std::runtime_error in words.
void run_fleet_load(const Order& order, Cue& cue);

/// So many bytes that the image gate takes for a picture of 8 x 8 pixels: a JPEG's header, and a
/// scan that nobody will decode. Requires: at least 64.
std::string picture_of(std::uint64_t bytes);

}  // namespace framefleet::bench
