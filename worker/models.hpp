#pragma once
// The folder of model files: one TOML per model, NAME.toml, where NAME is what tasks call it
// ("faces?cascade=NAME"). A model with the name of one of OpenCV's cascades stands in for it.
//
//   [model]
//   detector = "faces"
//   file = "haarcascade_frontalface_alt2.xml"    # from this folder, or absolute
//   sha256 = "…"                                 # of the file; "" is not checked
//   decode_scale = "1/2"                         # the smallest picture that it may be given
//
// Every model is checked and loaded once before it is offered.

#include "worker/detectors/registry.hpp"

#include "shared/base/result.hpp"

#include <filesystem>
#include <vector>

namespace framefleet::worker {

/// The models of the folder in the order of their names; none for the empty path. `settings` is
/// what the detectors are made with otherwise. Errors: 66 a folder or file that cannot be read, 78
/// a model file that says something wrong; they name file, line and key, and what would be right.
Result<std::vector<Model>, Error> read_models(const std::filesystem::path& folder,
                                              DetectorSettings settings);

}  // namespace framefleet::worker
