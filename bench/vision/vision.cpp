// bench-vision [SECONDS [REPETITIONS [DETECTORS]]]: pictures per second of a plain loop, of our
// decode plan in a loop, of a fleet with one worker of one slot, and of a fleet on all processors,
// in one run. bench-vision quick: the same at 720p alone, in a minute. bench-vision drift
// [PICTURES...]: what smaller pictures do to boxes.
//
// Each repetition runs all contestants in turn for SECONDS (1) each, what is printed is the median
// of REPETITIONS (5), and DETECTORS ("edges,faces") are those that are run (edges,corners,faces).
// What the figures mean: bench/METHOD.md. Exit codes: 0, or 64 for arguments that are no numbers.

#include "shared/base/result.hpp"
#include "shared/telemetry/cpus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/vision/drift.hpp"
#include "bench/vision/family.hpp"
#include "bench/vision/fleet.hpp"
#include "bench/vision/pictures.hpp"
#include "bench/vision/runners.hpp"

namespace framefleet::bench {
namespace {

constexpr int kPictures = 4;
/// What the system calls a child process of a worker (worker/pool/zygote.cpp).
constexpr std::string_view kChildName = "framefleet-eye";
constexpr std::array<const char*, 2> kIsolations{"none", "process"};

struct Size {
  const char* name;
  int width;
  int height;
};
constexpr Size k720p{"720p", 1280, 720};
constexpr Size k1080p{"1080p", 1920, 1080};

struct Arguments {
  double seconds{1};
  int repetitions{5};
  std::string detectors{"edges,corners,faces"};
  std::vector<Size> sizes{k720p, k1080p};
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Contestant {
  std::string name;
  std::size_t threads;
  std::unique_ptr<Runner> runner;
  std::vector<double> paces{};   ///< Pictures per second, of each repetition.
  std::vector<double> cpu_ms{};  ///< Of a picture.
  std::size_t detections{0};

  void run(double seconds) {
    const double before = family_cpu_seconds();
    const Pace pace = runner->run(seconds);
    const double cpu_s = family_cpu_seconds() - before - pace.start_cpu_s;
    cpu_ms.push_back(1e3 * cpu_s / static_cast<double>(pace.pictures));
    paces.push_back(pace.pictures_per_s);
    detections = std::max(detections, pace.detections);
  }
};

/// The median of the ratios within each repetition, which a machine that changes its mind between
/// two of them does not move.
double pace_ratio(const Contestant& one, const Contestant& other) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < one.paces.size(); ++i) {
    ratios.push_back(one.paces[i] / other.paces[i]);
  }
  return median(ratios);
}

/// Of what as many threads as it has would do, each as fast as the loop.
double efficiency(const Contestant& one, const Contestant& loop) {
  return pace_ratio(one, loop) / static_cast<double>(one.threads);
}

std::vector<Contestant> contestants(const Load& load, std::size_t cores) {
  std::vector<Contestant> all;
  all.push_back({"plain loop", 1, make_naive_loop(load)});
  all.push_back({"our decode plan in a loop", 1, make_plan_loops(load, 1)});
  for (const auto* const isolation : kIsolations) {
    all.push_back({fmt::format("one worker, isolation {}", isolation), 1,
                   std::make_unique<Fleet>(load, 1, isolation)});
  }
  all.push_back({fmt::format("{} such loops at once", cores), cores, make_plan_loops(load, cores)});
  for (const auto* const isolation : kIsolations) {
    all.push_back({fmt::format("fleet of {}, isolation {}", cores, isolation), cores,
                   std::make_unique<Fleet>(load, cores, isolation)});
  }
  return all;
}

void print_table(const std::string& title, const std::vector<Contestant>& all) {
  fmt::print("\n{}\n{:<32}{:>12}{:>9}{:>9}{:>10}{:>11}{:>12}\n", title, "", "pictures/s", "/ plain",
             "/ plan", "CPU ms", "CPU / plan", "detections");
  const double plan_cpu_ms = median(all[1].cpu_ms);
  for (const auto& each : all) {
    const double cpu_ms = median(each.cpu_ms);
    fmt::print("{:<32}{:>12.2f}{:>9.2f}{:>9.2f}{:>10.2f}{:>11.2f}{:>12}\n", each.name,
               median(each.paces), efficiency(each, all[0]), efficiency(each, all[1]), cpu_ms,
               cpu_ms / plan_cpu_ms, each.detections);
  }
  const Contestant& fleet = all.back();
  const Contestant& unisolated = all[all.size() - 2];
  fmt::print(
      "efficiency with isolation: {:.2f} of the plain loop (wanted: 1.00), {:.2f} of our decode "
      "plan (wanted: 0.95); isolation costs {:+.1f} % of the pace, {:+.1f} % CPU\n",
      efficiency(fleet, all[0]), efficiency(fleet, all[1]),
      100 * (1 - pace_ratio(fleet, unisolated)),
      100 * (median(fleet.cpu_ms) / median(unisolated.cpu_ms) - 1));
  std::fflush(stdout);
}

void compare(const Load& load, const std::string& title, const Arguments& arguments) {
  auto all = contestants(load, telemetry::usable_cpus());
  for (auto& each : all) each.runner->run(0);  // Warm.
  for (int round = 0; round < arguments.repetitions; ++round) {
    for (auto& each : all) each.run(arguments.seconds);
  }
  print_table(title, all);
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    names.push_back(list.substr(at, comma - at));
    at = comma + 1;
  }
  return names;
}

/// In MB, of the children or of what else the worker has; "-" where there are none.
std::string mean_memory(const std::vector<ProcessMemory>& all, bool is_child) {
  std::uint64_t sum = 0;
  std::size_t count = 0;
  for (std::size_t i = 1; i < all.size(); ++i) {
    if ((all[i].name == kChildName) != is_child) continue;
    sum += all[i].bytes;
    ++count;
  }
  if (count == 0) return "-";
  return fmt::format("{:.1f}", static_cast<double>(sum) / 1e6 / static_cast<double>(count));
}

/// What a worker pays before its first task, and what its processes hold after some.
void measure_start(const Arguments& arguments) {
  Load load{{}, split(arguments.detectors)};
  const Size& size = arguments.sizes.back();
  load.pictures.push_back(make_picture(size.width, size.height, 0));
  const std::size_t slots = telemetry::usable_cpus();
  fmt::print("{:<32}{:>12}{:>12}{:>12}{:>12}{:>12}\n", "start", "hello after", "ready after",
             "MB worker", "MB zygote", "MB / child");
  for (const auto* const isolation : kIsolations) {
    Fleet fleet(load, slots, isolation);
    fleet.run(0);
    const auto memory = fleet.worker_memory();
    fmt::print("{:<32}{:>12}{:>12}{:>12.1f}{:>12}{:>12}\n",
               fmt::format("worker of {}, isolation {}", slots, isolation),
               fleet.worker_said("hello"), fleet.worker_said("ready"),
               static_cast<double>(memory[0].bytes) / 1e6, mean_memory(memory, false),
               mean_memory(memory, true));
  }
}

void compare_all(const Arguments& arguments) {
  measure_start(arguments);
  for (const Size& size : arguments.sizes) {
    Load load{{}, split(arguments.detectors)};
    for (int i = 0; i < kPictures; ++i) {
      load.pictures.push_back(make_picture(size.width, size.height, i));
    }
    compare(load, fmt::format("{} at {}", arguments.detectors, size.name), arguments);
  }
}

template <typename Number>
bool read(std::string_view text, Number& number) {
  const auto* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && rest == end && number > 0;
}

std::optional<Arguments> read_arguments(int argc, char** argv) {
  Arguments arguments;
  if (argc == 2 && std::string_view(argv[1]) == "quick") {
    return Arguments{.seconds = 1, .repetitions = 3, .sizes = {k720p}};
  }
  if (argc > 1 && !read(argv[1], arguments.seconds)) return std::nullopt;
  if (argc > 2 && !read(argv[2], arguments.repetitions)) return std::nullopt;
  if (argc > 3) arguments.detectors = argv[3];
  if (argc > 4) return std::nullopt;
  return arguments;
}

}  // namespace
}  // namespace framefleet::bench

int main(int argc, char** argv) {
  using namespace framefleet;
  if (argc > 1 && std::string_view(argv[1]) == "drift") {
    bench::print_drift({argv + 2, argv + argc});
    return exit_code::kOk;
  }
  const auto arguments = bench::read_arguments(argc, argv);
  if (!arguments) {
    std::fputs(
        "usage: bench-vision [SECONDS [REPETITIONS [DETECTORS]]]\n"
        "       bench-vision quick\n"
        "       bench-vision drift [PICTURES...]\n",
        stderr);
    return exit_code::kUsage;
  }
  bench::compare_all(*arguments);
  return exit_code::kOk;
}
