#pragma once
// What there is to measure: what is sent, who can take part, what is wanted of it. Pure; threads:
// any.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/figures/verdict.hpp"
#include "bench/fleet/options.hpp"

namespace framefleet::bench {

enum class Measure : std::uint8_t {
  pace,
  p50,
  p99,
  broker_share,  ///< Of all processors; ours alone.
  loops_share,   ///< Of the pace of as many plain loops as there are processors.
};

/// A ratio of framefleet's figure to a rival's.
struct Wish {
  Measure measure{Measure::pace};
  std::string rival;  ///< "": the best of those that are there.
  Bound bound{Bound::at_least};
  double value{0};
  std::string note;       ///< Behind what is compared.
  bool collected{false};  ///< Of the fleet that ends in a collector (Workload::collected).
};

struct Workload {
  std::string name;  ///< "durable 100 KB"
  std::uint64_t bytes{0};
  bool durable{false};
  double per_second{0};   ///< 0: as fast as they are taken.
  bool joined{true};      ///< Our producer says in one message what it says at one moment.
  bool collected{false};  ///< A fleet takes part that ends in a collector, as rivals do.
  /// 0: payloads of that many bytes, and nobody looks at them.
  std::uint64_t pictures{0};
  bool steady{false};  ///< Of pictures: while all processors are busy, else from the start on.
  std::vector<Wish> wishes;
};

/// By what a person types; none: there is no such.
std::vector<Workload> workloads_of(std::string_view name, const BenchOptions& options);

}  // namespace framefleet::bench
