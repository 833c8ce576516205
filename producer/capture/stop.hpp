#pragma once
// Whether the producer has asked this process to leave (SIGTERM). Threads: any.

namespace framefleet::producer {

/// Once, before anything is opened.
void listen_for_stop();
bool stop_asked();

}  // namespace framefleet::producer
