#pragma once
// libsodium's start-up, done once by whoever of this folder is called first.
// Threads: any. Errors: a machine on which libsodium cannot start is no place to run: it asserts.

namespace framefleet::security {

void ensure_sodium();

}  // namespace framefleet::security
