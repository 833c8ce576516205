#pragma once
// What `framefleet bench` is told.

#include "shared/config/option_set.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace framefleet::bench {

enum class Transport : std::uint8_t { tcp, ipc };

struct BenchOptions {
  std::vector<std::string> workloads;
  std::vector<std::string> rivals;  ///< By name; none: all that are here.
  std::uint32_t rounds{5};
  Duration time{std::chrono::seconds(2)};  ///< Of a run, about.
  std::uint64_t tasks{0};                  ///< Of a run; 0: what fits into the time.
  double rate{2000};                       ///< Tasks per second of `latency`.
  std::uint64_t pictures{2000};            ///< Of a run of `vision` in steady state.
  Transport transport{Transport::tcp};
  std::uint64_t crowd{1000};   ///< Connections at once of `scale`, of workers and of sources.
  bool isolated{false};        ///< Our own with isolation as well.
  std::filesystem::path json;  ///< "": none.
};

/// Binds them.
void describe(config::OptionSet& set, BenchOptions& options);

}  // namespace framefleet::bench
