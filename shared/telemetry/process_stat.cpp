#include "shared/telemetry/process_stat.hpp"

#include "shared/telemetry/monotonic.hpp"

#include <unistd.h>

#include <array>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <string>

namespace framefleet::telemetry {

std::optional<ProcessStat> read_process_stat() {
  std::ifstream file{"/proc/self/stat"};
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The program's name stands in brackets and may hold anything; the third field follows the last
  // one.
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest{line.substr(name_end + 1)};
  std::string state;
  rest >> state;
  constexpr int kFirstNumber = 4;
  constexpr int kLastNumber = 24;
  std::array<double, kLastNumber + 1> field{};
  for (int i = kFirstNumber; i <= kLastNumber; ++i) {
    if (!(rest >> field[static_cast<std::size_t>(i)])) return std::nullopt;
  }
  return ProcessStat{.cpu_ticks = field[14] + field[15],
                     .start_ticks = field[22],
                     .virtual_bytes = field[23],
                     .resident_pages = field[24]};
}

std::optional<Duration> process_age() {
  const auto stat = read_process_stat();
  if (!stat) return std::nullopt;
  const std::chrono::duration<double> start{stat->start_ticks /
                                            static_cast<double>(::sysconf(_SC_CLK_TCK))};
  return since_boot() - std::chrono::duration_cast<Duration>(start);
}

}  // namespace framefleet::telemetry
