#pragma once
// One way of having tasks worked on: its servers stay for a workload, its load comes and goes with
// each run. Threads: one. Errors: in words, with the end of the log that says more.

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace framefleet::bench {

class Rival;

/// What one run sends through.
struct Load {
  std::uint64_t tasks{0};
  std::uint64_t bytes{1024};
  double per_second{0};  ///< 0: as fast as they are taken.
  bool joined{true};     ///< Of our own producer: as Workload has it.
  std::uint64_t sources{1};
  std::uint64_t producers{0};  ///< Of a crowd, a source each; 0: one, of all sources.
};

/// How long a run may take before whoever is silent counts as hung: two minutes, and what it must
/// last at its pace, or a millisecond a task.
inline Duration patience_for(const Load& load) {
  constexpr double kTaskSeconds = 1e-3;
  const double each = load.per_second > 0 ? 1 / load.per_second : kTaskSeconds;
  return std::chrono::minutes(2) + std::chrono::ceil<Duration>(std::chrono::duration<double>(
                                       each * static_cast<double>(load.tasks)));
}

/// Of a kind of process, all of its instances together.
struct ProcessFigures {
  std::string process;  ///< "broker"
  double cpu_us{0};     ///< Of one task.
  std::uint64_t peak_bytes{0};
};

struct RunFigures {
  std::uint64_t tasks{0};
  double per_second{0};  ///< From the first task sent to the last result taken.
  std::vector<ProcessFigures> processes;
  /// p50, p99, p99.9 of a task: from when it was to be sent, or where no moment is given for each,
  /// was. Of a picture: from when it was taken up until it was done.
  std::vector<double> latency_us;
  double wall_s{0};             ///< Of pictures: from the first process to the last result.
  std::uint64_t detections{0};  ///< Of pictures: in all of them.

  const ProcessFigures* broker() const;  ///< nullptr: there was none.
  double cpu_us() const;
  std::uint64_t peak_bytes() const;
};

/// Of one workload.
struct Surroundings {
  bool tcp{true};  ///< Over 127.0.0.1; else sockets in a folder.
  bool durable{false};
  std::uint64_t workers{2};        ///< Processes. Without any worker tasks are admitted and wait.
  std::uint64_t crowd_workers{0};  ///< Ours besides: connections of one process.
};

class Contestant {
 public:
  virtual ~Contestant() = default;
  virtual std::string name() const = 0;
  /// Its servers are up and can be used.
  virtual Result<void, Error> start() = 0;
  /// Errors: also where its counts do not close.
  virtual Result<RunFigures, Error> run(const Load& load) = 0;
  /// Its servers are gone. Errors: their own books do not close.
  virtual Result<void, Error> finish() = 0;
};

enum class FleetKind : std::uint8_t {
  plain,     ///< Workers do what they do in their own process.
  isolated,  ///< In a child for each slot, as users have it by default.
  collected  ///< Plain, with a collector that keeps nothing in the sink's place: as rivals end.
};
/// Our own processes.
std::unique_ptr<Contestant> make_fleet(const Surroundings& surroundings, FleetKind kind);
/// What FleetKind::collected is called.
inline constexpr const char* kCollectedFleet = "framefleet, collected";
/// `rival` outlives it.
std::unique_ptr<Contestant> make_contestant(const Rival& rival, const Surroundings& surroundings);

}  // namespace framefleet::bench
