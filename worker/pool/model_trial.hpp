#pragma once
// A model is tried before it is offered: opened and run once, in a process of its own, because a
// file can crash its parser, hang it or eat memory, and the worker has other detectors to offer.

#include "worker/detectors/registry.hpp"

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::worker {

struct TrialOptions {
  /// Started for the trial: this program, which calls run_as_model_trial() first in its main.
  std::string program{"/proc/self/exe"};
  /// Bytes the trial may take beyond what it starts with.
  std::uint64_t memory_max{std::uint64_t{1536} << 20U};
  /// A network is read and run once, which takes half a second on a busy machine.
  Duration patience{std::chrono::minutes{1}};
  ImageLimits limits;  ///< Of the pictures of a gallery.
};

/// Waits for the end of the trial. Errors: what is wrong with the model, as try_model says it; or
/// how the process ended.
/// `beside`: models that it needs for its gallery.
Result<ModelTrial, Error> try_apart(const Model& model, const std::vector<Model>& beside,
                                    const TrialOptions& options);

/// Nothing where the arguments are not those of a trial; else it has been one until now, and this
/// is its exit code. Requires: called first in main.
std::optional<int> run_as_model_trial(int argc, const char* const* argv);

}  // namespace framefleet::worker
