#pragma once
// A fleet of real processes: broker, sink and worker, and for each run a producer that feeds them a
// folder of pictures over ipc. What users run, with nothing left out.

#include "cli/child_process.hpp"
#include "cli/folders.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/vision/family.hpp"
#include "bench/vision/outcomes.hpp"
#include "bench/vision/runners.hpp"

namespace framefleet::bench {

class Fleet final : public Runner {
 public:
  /// Starts the processes; they end with this object. `isolation` as the worker has it. `load`
  /// outlives the fleet. Dies where a process cannot be started or ends.
  Fleet(const Load& load, std::size_t slots, const std::string& isolation);

  /// Pictures per second between the first results and the last, as the store has their times: all
  /// slots are busy then, and no start is counted.
  Pace run(double seconds) override;

  /// How long after its start the worker says that something was so ("hello", "ready"): as its log
  /// has it; "-" where it does not say.
  std::string worker_said(const std::string& event) const;
  /// Of each process of the worker's, itself first.
  std::vector<ProcessMemory> worker_memory() const;

 private:
  cli::ChildProcess start(const std::string& name, std::vector<std::string> arguments) const;
  std::vector<Outcome> work_on(std::size_t count);

  const Load& load_;
  const std::size_t slots_;
  const cli::PrivateFolder home_;
  const std::filesystem::path folder_;
  std::vector<std::filesystem::path> pictures_;
  std::vector<cli::ChildProcess> daemons_;  ///< Broker, sink, worker.
  double pictures_per_s_{0};                ///< Of the run before; 0: none.
  int runs_{0};
  std::streamoff read_{0};  ///< Of the sink's results.
  double producer_start_cpu_s_{0};
};

}  // namespace framefleet::bench
