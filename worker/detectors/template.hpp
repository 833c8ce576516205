#pragma once
// template: copies of a small picture in the picture, by normalised cross-correlation. That picture
// is the task's second one, or a model of the worker's: a file in its folder of models.

#include "worker/detectors/registry.hpp"

namespace framefleet::worker {

DetectorKind template_kind();

/// As try_model: that its file is a picture that can be looked for.
Result<void, Error> try_template(const Model& model, const ImageLimits& limits);

}  // namespace framefleet::worker
