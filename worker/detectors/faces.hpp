#pragma once
// faces: by a network where the worker has one (network_faces.hpp), else by Haar and LBP cascades.
// Boxes of a cascade are those of cv::CascadeClassifier on the grey picture, which a model file may
// allow to be a smaller one.

#include "worker/detectors/registry.hpp"

namespace framefleet::worker {

DetectorKind faces_kind();

/// Where one of OpenCV's own cascades is. Requires: `name` is one that `faces` has.
std::string cascade_path(std::string_view name, const DetectorSettings& settings);

/// Every cascade of OpenCV's that is there, for processes that will not be able to open files.
CascadeFiles read_cascades(const DetectorSettings& settings);

/// Errors: the model's file is no cascade.
Result<void, Error> try_cascade(const Model& model);

}  // namespace framefleet::worker
