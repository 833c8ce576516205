#pragma once
// What a producer can be told.

#include "producer/camera_list.hpp"
#include "producer/core/submission.hpp"

#include "shared/base/result.hpp"
#include "shared/config/option_set.hpp"
#include "shared/security/keys.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::producer {

struct ProducerOptions {
  std::string connect{"tcp://127.0.0.1:5555"};
  security::KeyFiles keys{};
  std::string name;  ///< "": producer- and the process id.
  /// Files, folders, patterns, videos, "-", synthetic cameras: in any mix.
  std::vector<std::string> sources;
  /// Of the configuration file; they have detectors and a class of their own.
  CameraList cameras;
  /// Detectors with options: "faces?min_size=40,edges".
  std::string detect{"faces"};
  /// Ask for the annotated picture of every task.
  bool annotate{false};
  /// A second picture that travels with every task (for `blend`); "": none.
  std::filesystem::path second;
  /// What groups the tasks of one run; "": made from sources and detectors.
  std::string job;
  /// Folder of the manifest that makes the job resumable; "": none.
  std::filesystem::path manifest;
  TaskClass task_class{TaskClass::batch};
  /// 0 (lowest) to 9.
  std::uint8_t priority{0};
  /// How long a picture may wait for work to begin on it; 0: for ever.
  Duration ttl{};
  /// Share of the workers' time of each source against others, 1 to 100.
  std::uint32_t weight{1};
  /// Folders and "-" go on to be looked at for what comes.
  bool watch{false};
  /// "name", "shuffled" or "shuffled:SEED": how files that have no number yet are numbered.
  std::string order{"name"};
  /// Videos are read at their own pace, not faster.
  bool realtime{false};
  /// Pictures per second and source, at most; 0: as fast as they are accepted.
  double rate{0};
  std::uint64_t picture_bytes_max{std::uint64_t{64} << 20U};
  /// Descriptor that NDJSON progress is written to; -1: none.
  int progress_fd{-1};
  SubmissionOptions submission;
  /// How long a drain may wait for what is in flight.
  Duration drain_timeout{std::chrono::seconds{30}};
};

/// Binds the section [producer], the sources and the cameras.
void describe(config::OptionSet& set, ProducerOptions& options);
/// The seed that `order` asks to shuffle by, `fresh` where it names none; nothing: by name.
/// Error: 64.
Result<std::optional<std::uint64_t>, Error> shuffle_of(const std::string& order,
                                                       std::uint64_t fresh);
/// The cameras that the same command line and environment have now. Error: 78, every mistake.
Result<std::vector<CameraOptions>, Error> read_cameras(int argc, const char* const* argv);
/// Whether the options make sense together. Error: 64.
Result<void, Error> check(const ProducerOptions& options);

}  // namespace framefleet::producer
