#pragma once
// What a worker can be told.

#include "worker/models.hpp"
#include "worker/pool/pool.hpp"

#include "shared/base/link.hpp"
#include "shared/config/option_set.hpp"
#include "shared/security/keys.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace framefleet::worker {

/// Where pictures are decoded and detectors run.
enum class Isolation : std::uint8_t {
  none,     ///< Threads of the worker: for trusted input.
  process,  ///< Child processes in a sandbox: a picture hurts only itself.
};

struct WorkerOptions {
  std::string connect{"tcp://127.0.0.1:5555"};
  security::KeyFiles keys{};
  std::string name;  ///< "": worker- and the process id.
  /// Tasks at once; 0: the CPUs this process may use.
  std::uint32_t slots{0};
  /// Detectors this worker offers; empty: all it has.
  std::vector<std::string> detectors;
  /// Folder of model files (worker/models.hpp); empty: none.
  std::filesystem::path models;
  /// Of those what turned out bad: found at start, not told.
  std::vector<RefusedModel> refused_models;
  PoolOptions pool;
  /// Formats of pictures that this worker takes: jpeg, png, webp, bmp, tiff. The last two are
  /// decoded in child processes of their own kind (worker/imgcodecs).
  std::vector<std::string> formats{"jpeg", "png", "webp"};
  Isolation isolation{Isolation::process};
  /// Bytes a child process may take on top of what it is born with (IsolationOptions).
  std::uint64_t child_memory_max{std::uint64_t{1536} << 20U};
  LinkOptions link;
  /// Time between two self-tests of a detector; 0: only at start.
  Duration self_test_interval{std::chrono::minutes{10}};
  /// How long a drain may take before running tasks are left to others.
  Duration drain_timeout{std::chrono::seconds{30}};
  /// Instead of working: print what the folder of models holds; or try all of it, and print that.
  bool list_models{false};
  bool check_models{false};
  /// Instead of working: print every detector with its options.
  bool list_detectors{false};
  /// Instead of working: check these detectors and their options ("faces?min_size=40,edges").
  std::string check_detectors;
};

/// What its words say.
FormatSet formats_of(const WorkerOptions& options);

/// Binds the section [worker].
void describe(config::OptionSet& set, WorkerOptions& options);

}  // namespace framefleet::worker
