#include "bench/vision/family.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace framefleet::bench {
namespace {

constexpr int kGenerationsMax = 8;

std::uint64_t field_of(const std::filesystem::path& file, const std::string& name) {
  std::ifstream text(file);
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with(name + ":")) return std::stoull(line.substr(name.size() + 1));
  }
  return 0;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double own_cpu_seconds(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// From /proc/PID/stat: the 14th and 15th fields, counted behind the name, which may hold blanks.
double cpu_seconds_of(const std::filesystem::path& process) {
  std::ifstream file(process / "stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;  // It has ended meanwhile.
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

std::vector<std::filesystem::path> descendants_of(std::uint64_t eve) {
  std::map<std::uint64_t, std::uint64_t> parents;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    std::uint64_t pid = 0;
    const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc{} || rest != name.data() + name.size()) continue;
    parents[pid] = field_of(entry.path() / "status", "PPid");
  }
  std::vector<std::filesystem::path> found;
  for (const auto& [pid, parent] : parents) {
    std::uint64_t ancestor = parent;
    for (int i = 0; i < kGenerationsMax && ancestor != eve && ancestor != 0; ++i) {
      const auto next = parents.find(ancestor);
      ancestor = next == parents.end() ? 0 : next->second;
    }
    if (ancestor == eve) found.push_back("/proc/" + std::to_string(pid));
  }
  return found;
}

std::uint64_t status_field(const std::filesystem::path& process, const std::string& name) {
  return field_of(process / "status", name);
}

std::vector<ProcessMemory> memory_of_each(std::int64_t pid) {
  auto processes = descendants_of(static_cast<std::uint64_t>(pid));
  processes.insert(processes.begin(), "/proc/" + std::to_string(pid));
  std::vector<ProcessMemory> all;
  for (const auto& process : processes) {
    std::string name;
    std::getline(std::ifstream(process / "comm"), name);
    all.push_back({name, field_of(process / "smaps_rollup", "Pss") * 1024});
  }
  return all;
}

double thread_cpu_seconds() { return own_cpu_seconds(RUSAGE_THREAD); }

double family_cpu_seconds() {
  double sum = own_cpu_seconds(RUSAGE_SELF) + own_cpu_seconds(RUSAGE_CHILDREN);
  const auto descendants = descendants_of(static_cast<std::uint64_t>(::getpid()));
  for (const auto& process : descendants) sum += cpu_seconds_of(process);
  return sum;
}

}  // namespace framefleet::bench
