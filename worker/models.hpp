#pragma once
// The folder of model files (worker/model_file.hpp), one TOML per model, NAME.toml, where NAME is
// what tasks call it ("objects?model=NAME"). A cascade with the name of one of OpenCV's stands in
// for it.
//
// Each model is loaded and run once, in a process of its own, before it is offered. One that turns
// out bad (another digest, damaged, of another layout, …) is refused: its detector is not offered,
// and the others go on. A TOML that cannot be understood is an error of its own: nobody knows what
// it was to change.

#include "worker/model_file.hpp"
#include "worker/pool/model_trial.hpp"

#include "shared/base/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::worker {

/// One model, and what came of trying it.
struct TriedModel {
  ModelFile file;
  Model model;  ///< With its bytes and labels, where they could be read.
  Result<ModelTrial, Error> trial;
};

struct RefusedModel {
  std::string name;
  std::string detector;
  Error error;  ///< It names the TOML.
};

/// Those of the folder in the order of their names; none for the empty path. Errors: 66 a folder
/// that cannot be read, 78 a model file that says something wrong; they name file, line and key,
/// and what would be right.
Result<std::vector<ModelFile>, Error> read_model_files(const std::filesystem::path& folder);

/// Loads and tries one after the other.
std::vector<TriedModel> try_models(const std::vector<ModelFile>& files,
                                   const TrialOptions& options);

std::vector<Model> good_ones(const std::vector<TriedModel>& tried);
/// Why the detector is not offered; an error only where one of its models is refused.
Result<void, Error> check_not_refused(const std::vector<RefusedModel>& refused,
                                      std::string_view detector);

std::vector<RefusedModel> refused_ones(const std::vector<TriedModel>& tried);

}  // namespace framefleet::worker
