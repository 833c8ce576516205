#pragma once
// What this machine gives a process: processors.
// Threads: any. Errors: none; what cannot be read does not limit.

#include <cstdint>
#include <optional>
#include <string_view>

namespace framefleet::telemetry {

/// How many processors this process may use: its affinity, less what a cgroup v2 quota (cpu.max, of
/// its group and all above it) leaves of that, rounded up. At least 1.
std::uint32_t usable_cpus();

/// The processors that the text of a cpu.max allows ("150000 100000" is 1.5); nothing for "max" and
/// for anything that is no such text.
std::optional<double> parse_cpu_max(std::string_view text);

}  // namespace framefleet::telemetry
