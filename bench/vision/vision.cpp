// bench-vision [SECONDS [REPETITIONS [DETECTORS]]]: pictures per second of a plain loop, of our
// decode plan in a loop, of a fleet with one worker of one slot, and of a fleet on all processors,
// in one run. bench-vision quick: the same at 720p alone, in a minute. bench-vision networks
// MODELS [SECONDS [REPETITIONS]]: each network of a folder of model files, by each backend.
// bench-vision drift [PICTURES...]: what smaller pictures do to boxes.
//
// Each repetition runs all contestants in turn for SECONDS (1) each, what is printed is the median
// of REPETITIONS (5), and DETECTORS ("edges,faces") are those that are run (edges,corners,faces).
// What the figures mean: bench/METHOD.md. Exit codes: 0, 64 for arguments that are no numbers, 66
// for a folder of models that cannot be read.

#include "shared/base/result.hpp"
#include "shared/telemetry/cpus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/figures/quantiles.hpp"
#include "bench/vision/contest.hpp"
#include "bench/vision/drift.hpp"
#include "bench/vision/family.hpp"
#include "bench/vision/fleet.hpp"
#include "bench/vision/networks.hpp"
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
  take_turns(all, arguments.seconds, arguments.repetitions);
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

/// SECONDS, REPETITIONS and DETECTORS, as far as they are there.
std::optional<Arguments> read_arguments(std::span<char*> words) {
  Arguments arguments;
  if (!words.empty() && !read(words[0], arguments.seconds)) return std::nullopt;
  if (words.size() > 1 && !read(words[1], arguments.repetitions)) return std::nullopt;
  if (words.size() > 2) arguments.detectors = words[2];
  if (words.size() > 3) return std::nullopt;
  return arguments;
}

int usage() {
  std::fputs(
      "usage: bench-vision [SECONDS [REPETITIONS [DETECTORS]]]\n"
      "       bench-vision quick\n"
      "       bench-vision networks MODELS [SECONDS [REPETITIONS]]\n"
      "       bench-vision drift [PICTURES...]\n",
      stderr);
  return exit_code::kUsage;
}

int run(std::span<char*> words) {
  const std::string_view verb = words.empty() ? "" : words[0];
  if (verb == "drift") {
    print_drift({words.begin() + 1, words.end()});
    return exit_code::kOk;
  }
  if (verb == "quick" && words.size() == 1) {
    compare_all(Arguments{.seconds = 1, .repetitions = 3, .sizes = {k720p}});
    return exit_code::kOk;
  }
  const bool networks = verb == "networks" && (words.size() >= 2 && words.size() <= 4);
  const auto arguments = read_arguments(networks ? words.subspan(2) : words);
  if (!arguments) return usage();
  if (!networks) {
    compare_all(*arguments);
    return exit_code::kOk;
  }
  const bool read = print_networks(words[1], arguments->seconds, arguments->repetitions);
  return read ? exit_code::kOk : exit_code::kNoInput;
}

}  // namespace
}  // namespace framefleet::bench

int main(int argc, char** argv) {
  return framefleet::bench::run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
}
