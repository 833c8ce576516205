#include "shared/telemetry/process_metrics.hpp"

#include "shared/config/version.hpp"
#include "shared/telemetry/process_stat.hpp"

#include <prometheus/metric_family.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

namespace framefleet::telemetry {
namespace {

/// Unix time of the boot, seconds.
std::optional<double> read_boot_time() {
  std::ifstream file{"/proc/stat"};
  std::string word;
  while (file >> word) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return std::nullopt;
}

std::optional<double> count_open_files() {
  std::error_code error;
  double count = 0;
  for (auto entry = std::filesystem::directory_iterator{"/proc/self/fd", error};
       !error && entry != std::filesystem::directory_iterator{}; entry.increment(error)) {
    ++count;
  }
  if (error) return std::nullopt;
  return count - 1;  // Without the one that listed the folder.
}

class Families {
 public:
  void gauge(const char* name, const char* help, std::optional<double> value) {
    if (value) add(name, help, prometheus::MetricType::Gauge).gauge.value = *value;
  }
  void counter(const char* name, const char* help, std::optional<double> value) {
    if (value) add(name, help, prometheus::MetricType::Counter).counter.value = *value;
  }
  prometheus::ClientMetric& add(const char* name, const char* help, prometheus::MetricType type) {
    prometheus::MetricFamily family;
    family.name = name;
    family.help = help;
    family.type = type;
    family.metric.resize(1);
    families_.push_back(std::move(family));
    return families_.back().metric.front();
  }
  std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace

ProcessMetrics::ProcessMetrics(std::string process) : process_(std::move(process)) {}

std::vector<prometheus::MetricFamily> ProcessMetrics::Collect() const {
  Families families;
  auto& build = families.add("framefleet_build_info", "1; the labels say which build this is.",
                             prometheus::MetricType::Gauge);
  build.label = {{"build", std::string(config::build())},
                 {"process", process_},
                 {"version", std::string(config::version())}};
  build.gauge.value = 1;

  if (const auto stat = read_process_stat()) {
    const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    const auto page_bytes = static_cast<double>(::sysconf(_SC_PAGESIZE));
    families.counter("process_cpu_seconds_total", "User and system CPU time spent, in seconds.",
                     stat->cpu_ticks / ticks_per_second);
    families.gauge("process_resident_memory_bytes", "Resident memory, in bytes.",
                   stat->resident_pages * page_bytes);
    families.gauge("process_virtual_memory_bytes", "Virtual memory, in bytes.",
                   stat->virtual_bytes);
    if (const auto boot = read_boot_time()) {
      families.gauge("process_start_time_seconds", "Start of the process, Unix time in seconds.",
                     *boot + stat->start_ticks / ticks_per_second);
    }
  }
  families.gauge("process_open_fds", "Open file descriptors.", count_open_files());
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    families.gauge("process_max_fds", "Limit of open file descriptors.",
                   static_cast<double>(limit.rlim_cur));
  }
  return families.take();
}

}  // namespace framefleet::telemetry
