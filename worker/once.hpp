#pragma once
// A worker without a fleet: looks at pictures in files once, as it would for a broker (the same
// gate, decoder, detectors and isolation), and prints what it found. `framefleet detect` is this,
// made readable.
//
// stdout gets one JSON object per picture, on a line of its own and in the order of the arguments,
// with the fields of results.ndjson (docs/STORE.md) that need no fleet. Threads: one; everything
// else is the pool's.

#include "worker/options.hpp"

#include "shared/base/result.hpp"
#include "shared/config/option_set.hpp"
#include "shared/telemetry/program.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace framefleet::worker {

struct OnceOptions {
  std::vector<std::string> pictures;  ///< None: the worker works for a broker.
  std::vector<std::string> detect;    ///< With options: "faces?min_size=40".
  std::filesystem::path annotated;    ///< File, or folder of files (MadeFiles). "": none.
  std::filesystem::path made;         ///< Folder of the pictures that detectors make. "": none.
  std::filesystem::path second;       ///< The picture that some detectors need beside. "": none.
};

/// Binds the arguments and the section [once].
void describe(config::OptionSet& set, OnceOptions& options);

/// 0, or 3 where a picture could not be worked on or a signal ended it. Errors: 64 a detector or an
/// option of it; 66 a picture or model that is not there; 73 a picture that cannot be written.
Result<int, Error> work_once(WorkerOptions options, const OnceOptions& once,
                             telemetry::Program& program);

}  // namespace framefleet::worker
