#pragma once
// What processes and their descendants hold and have spent.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace framefleet::bench {

/// The folders in /proc of all descendants of a process, its own not among them.
std::vector<std::filesystem::path> descendants_of(std::uint64_t pid);
/// A number of the file `status` in a folder of /proc ("VmHWM", in KiB); 0: there is none.
std::uint64_t status_field(const std::filesystem::path& process, const std::string& name);

struct ProcessMemory {
  std::string name;  ///< As the system has it, at most 15 bytes.
  /// Proportional set size: a page that n processes share counts 1/n for each of them.
  std::uint64_t bytes{0};
};
/// Of a process, and then of each of its descendants.
std::vector<ProcessMemory> memory_of_each(std::int64_t pid);

/// Processor time of this process and its descendants. That of descendants comes in ticks of 10 ms,
/// and is forgotten with them unless they were waited for.
double family_cpu_seconds();

/// Of the calling thread alone.
double thread_cpu_seconds();

}  // namespace framefleet::bench
