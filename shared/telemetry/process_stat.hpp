#pragma once
// What the kernel knows of this process. Threads: any. Errors: nothing where /proc cannot be read.

#include "shared/base/time.hpp"

#include <optional>

namespace framefleet::telemetry {

/// The fields of /proc/self/stat that are asked for (proc(5)).
struct ProcessStat {
  double cpu_ticks{0};    ///< utime + stime.
  double start_ticks{0};  ///< Since boot.
  double virtual_bytes{0};
  double resident_pages{0};
};
std::optional<ProcessStat> read_process_stat();

/// Since the process was started, with all that came before main; in steps of 10 ms, never too
/// short.
std::optional<Duration> process_age();

}  // namespace framefleet::telemetry
