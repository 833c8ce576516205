#pragma once
// How long a store keeps what it has. What goes, oldest first: detections, attempts, dead letters
// and picture files. The row of the outcome stays for ever, marked `pruned`: its id must never be
// stored again.

#include <chrono>
#include <cstdint>

namespace framefleet::sink {

struct Retention {
  std::chrono::milliseconds keep{0};  ///< Age by `stored_at`; 0: for ever.
  std::uint64_t keep_bytes{0};        ///< Pages in use of the database + picture files; 0: no cap.
};

}  // namespace framefleet::sink
