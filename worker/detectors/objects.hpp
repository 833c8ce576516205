#pragma once
// objects: what a network was trained to find (YOLOv5, YOLOv8, YOLOX, NanoDet, SSD, Darknet).

#include "worker/detectors/registry.hpp"

namespace framefleet::worker {

DetectorKind objects_kind();

/// Errors: as ModelNetwork::open, for a model of this detector.
Result<std::unique_ptr<ModelNetwork>, Error> open_objects_model(const Model& model);

}  // namespace framefleet::worker
