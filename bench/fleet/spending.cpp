#include "bench/fleet/spending.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "bench/vision/family.hpp"

namespace framefleet::bench {
namespace fs = std::filesystem;
namespace {

void add(const fs::path& process, Spending& sum) {
  std::error_code error;
  for (fs::directory_iterator thread(process / "task", error), end; !error && thread != end;
       thread.increment(error)) {
    double ns = 0;
    std::ifstream(thread->path() / "schedstat") >> ns;
    sum.cpu_s += ns * 1e-9;
  }
  sum.peak_bytes += status_field(process, "VmHWM") * 1024;
}

}  // namespace

Spending spending_of(pid_t pid) {
  Spending sum;
  add(fmt::format("/proc/{}", pid), sum);
  for (const auto& process : descendants_of(static_cast<std::uint64_t>(pid))) add(process, sum);
  return sum;
}

double reaped_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto in_seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return in_seconds(usage.ru_utime) + in_seconds(usage.ru_stime);
}

}  // namespace framefleet::bench
