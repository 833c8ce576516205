#pragma once
// Internal: which kind of source a camera's URL names.

#include "producer/cameras/camera_options.hpp"
#include "producer/capture/frame_source.hpp"

#include <memory>

namespace framefleet::producer {

/// By the scheme; one that nobody knows is left to FFmpeg, whose answer says so.
std::unique_ptr<FrameSource> open_source(const CameraOptions& options);

}  // namespace framefleet::producer
