#pragma once
// What a capture process may not do. Most need the network, and all threads and time, so it has
// more rights than a worker's child; but it starts nothing, looks into no other process, changes no
// file, and takes no more memory than a large stream needs. Acts on the calling process, which has
// one thread.

#include "producer/cameras/camera_options.hpp"

#include "shared/base/result.hpp"

namespace framefleet::producer {

/// No core and no debugger (what it is told holds passwords), nothing on the producer's output; and
/// it dies with the producer's thread that started it.
void leave_no_traces();

/// From here on. Errors: the kernel refuses the filter.
Result<void, Error> enter_capture_sandbox(const CameraOptions& options);

}  // namespace framefleet::producer
