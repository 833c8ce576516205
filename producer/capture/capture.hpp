#pragma once
// The loop of a capture process: the next picture, is it due, does anything move, publish it.
//
// Every picture is read as soon as the camera sends it, because what is not read waits in buffers
// and is old when its turn comes. Only those that are due (fps) and that the motion gate lets
// through are scaled and encoded. What is JPEG already is passed on as it is.

#include "producer/cameras/camera_options.hpp"
#include "producer/cameras/capture_wire.hpp"
#include "producer/cameras/frame_slots.hpp"

namespace framefleet::producer {

/// Until the stream ends, or a stop is asked for; nothing then. `link`: to the producer.
CaptureEnding run_capture(const CameraOptions& options, FrameWriter frames, int link);

}  // namespace framefleet::producer
