#include "shared/telemetry/cpus.hpp"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

namespace framefleet::telemetry {
namespace {

namespace fs = std::filesystem;

std::uint32_t cpus_of_affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<std::uint32_t>(std::max(1, CPU_COUNT(&set)));
}

/// "/system.slice/x" from the line "0::/system.slice/x" of /proc/self/cgroup; "" without cgroup v2.
std::string own_cgroup() {
  constexpr std::string_view kPrefix = "0::/";
  std::ifstream in("/proc/self/cgroup");
  std::string line;
  while (std::getline(in, line)) {
    if (line.compare(0, kPrefix.size(), kPrefix) == 0) return line.substr(kPrefix.size());
  }
  return {};
}

std::optional<double> tightest_quota() {
  constexpr int kDepthMax = 64;
  const fs::path root = "/sys/fs/cgroup";
  fs::path group = root / own_cgroup();
  std::optional<double> tightest;
  for (int depth = 0; depth < kDepthMax; ++depth) {
    std::ifstream in(group / "cpu.max");
    std::string line;
    if (std::getline(in, line)) {
      const auto quota = parse_cpu_max(line);
      if (quota && (!tightest || *quota < *tightest)) tightest = quota;
    }
    if (group == root || !group.has_relative_path()) break;
    group = group.parent_path();
  }
  return tightest;
}

}  // namespace

std::optional<double> parse_cpu_max(std::string_view text) {
  std::int64_t quota = 0;
  std::int64_t period = 0;
  const char* const end = text.data() + text.size();
  const auto [after_quota, quota_error] = std::from_chars(text.data(), end, quota);
  if (quota_error != std::errc{} || after_quota == end || *after_quota != ' ') return std::nullopt;
  const auto [after_period, period_error] = std::from_chars(after_quota + 1, end, period);
  if (period_error != std::errc{} || quota <= 0 || period <= 0) return std::nullopt;
  if (after_period != end && *after_period != '\n') return std::nullopt;
  return static_cast<double>(quota) / static_cast<double>(period);
}

std::uint32_t usable_cpus() {
  const std::uint32_t cpus = cpus_of_affinity();
  const auto quota = tightest_quota();
  if (!quota || *quota >= cpus) return cpus;
  return std::max(1U, static_cast<std::uint32_t>(std::ceil(*quota)));
}

}  // namespace framefleet::telemetry
