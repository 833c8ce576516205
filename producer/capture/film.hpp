#pragma once
// A capture process for a video file: gives the frames that it is asked for, one after the other.
// A frame that comes as JPEG is passed on as it is.

#include "producer/cameras/camera_options.hpp"
#include "producer/cameras/film_wire.hpp"
#include "producer/cameras/frame_slots.hpp"

#include <optional>

namespace framefleet::producer {

/// Until the film is over or goes no further: why. Nothing: the producer is gone, or asked to stop.
std::optional<FilmReport> run_film(const CameraOptions& options, FrameWriter frames, int link);

}  // namespace framefleet::producer
