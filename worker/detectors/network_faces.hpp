#pragma once
// faces by a network with landmarks (YuNet, the files of 2022 and 2023): `faces` makes it where the
// worker has such a model. Boxes and landmarks are decoded here: OpenCV 4.6's own class does not
// know the outputs of the later file.

#include "worker/detectors/registry.hpp"

#include <string>

namespace framefleet::worker {

Result<std::unique_ptr<Detector>, Error> make_network_faces(const Options& options,
                                                            const DetectorSettings& settings);

/// Errors: as ModelNetwork::open, for a model of `faces`.
Result<std::unique_ptr<ModelNetwork>, Error> open_faces_model(const Model& model);
Result<std::shared_ptr<ModelNetwork>, Error> open_faces_model(const Model& model,
                                                              const DetectorSettings& settings);

/// {"landmarks":[[x,y],…]}: right eye, left eye, nose, right and left corner of the mouth.
std::string landmarks_json(const Candidate& face);

}  // namespace framefleet::worker
