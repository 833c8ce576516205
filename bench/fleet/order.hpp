#pragma once
// What one process of a contestant is to do in one run: it is this program again, with the order as
// its arguments. Plain values; threads: any.

#include "shared/base/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace framefleet::bench {

/// The private argument that makes this program a part of a run.
inline constexpr const char* kPartWord = "a-part-of-a-run";

struct Order {
  std::string contestant;  ///< "redis"
  std::string part;        ///< "producer", "broker", "worker", "collector"; "producers", "workers"
  std::string name;        ///< Of this part, its own.
  std::string endpoint;    ///< Where tasks go, and whatever there is one of.
  std::string results;     ///< Where results go, if that is another place.
  std::uint64_t run{0};    ///< Its number; what it names in a server has it in its name.
  std::uint64_t tasks{0};
  std::uint64_t bytes{0};    ///< Of a task's payload.
  double per_second{0};      ///< 0: as fast as they are taken.
  bool settled{true};        ///< Of our own producer: waits until they are stored, else admitted.
  bool durable{false};       ///< What the server confirms is to be on its disk.
  bool joined{true};         ///< Of our own producer: as Workload has it.
  std::uint64_t sources{1};  ///< Of our own producer: how many its tasks come from, in turn.
  std::uint64_t connections{1};  ///< Of producers and workers: how many they are.

  std::vector<std::string> words() const;
  /// Requires: what words() gave, with or without the program in front.
  static Result<Order, Error> from(const std::vector<std::string>& words);
};

}  // namespace framefleet::bench
