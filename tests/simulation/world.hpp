#pragma once
// All four cores in one thread, in virtual time, over a network that misbehaves by a seed.
//
// Messages are copied between nodes with what their payloads hold, so a payload that was let go too
// early, mixed up or leaked is found. Crashed nodes lose everything but the sink's store. The same seed
// gives the same run, to the byte.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "broker/core/dispatcher.hpp"
#include "producer/core/submission.hpp"
#include "sink/core/intake.hpp"
#include "worker/core/session.hpp"

namespace framefleet::simulation {

struct WorldOptions {
  std::uint64_t seed{1};
  std::size_t workers{3};
  std::size_t producers{2};
  std::uint64_t tasks_per_producer{20};
  /// Virtual time during which faults happen; afterwards everything must come to rest.
  Duration fault_time{std::chrono::seconds{20}};
  /// Faults per second of virtual time, of all kinds together.
  double fault_rate{1.0};
  /// Share of messages lost or doubled while faults last.
  double loss{0.01};
  double doubling{0.01};
  bool trace{false};
};

/// A promise that did not hold: what, and when.
struct Violation {
  std::string text;
};

struct WorldReport {
  std::optional<Violation> violation;
  std::uint64_t steps{0};
  std::uint64_t crashes{0};
  std::uint64_t cuts{0};
  std::uint64_t lost_messages{0};
  std::uint64_t stored{0};
  std::uint64_t failed{0};
  std::uint64_t worked_again{0};  ///< Hand-outs of tasks that were stored already.
  std::uint64_t digest{0};        ///< Of all effects in order: equal seeds give equal digests.
  std::vector<std::string> trace;
};

class World {
 public:
  explicit World(WorldOptions options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Runs to the end, or to the first violation.
  WorldReport run();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace framefleet::simulation
