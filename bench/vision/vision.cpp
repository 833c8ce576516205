// bench-vision [SECONDS [REPETITIONS [DETECTORS]]]: pictures per second of a plain loop, of our
// decode plan in a loop, of one worker and of a fleet on all processors, in one run.
//
// Each repetition runs all of them in turn for SECONDS (1) each, what is printed is the median of
// REPETITIONS (5), and DETECTORS ("edges,faces") picks one combination. What the figures mean:
// bench/METHOD.md. Exit codes: 0, or 64 for arguments that are no numbers.

#include "worker/pool/process_pool.hpp"
#include "worker/pool/thread_pool.hpp"
#include "worker/pool/zygote.hpp"

#include "shared/base/assert.hpp"
#include "shared/base/result.hpp"
#include "shared/telemetry/monotonic.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string_view>

#include "bench/vision/drift.hpp"
#include "bench/vision/family.hpp"
#include "bench/vision/pictures.hpp"
#include "bench/vision/runners.hpp"

namespace framefleet::bench {
namespace {

constexpr int kPictures = 6;

struct Arguments {
  double seconds{1};
  int repetitions{5};
  std::string detectors;  ///< Empty: each combination.
};

struct PoolKind {
  std::string name;
  PoolFactory make;
};

/// Every way there is of keeping pictures apart.
std::vector<PoolKind> pool_kinds() {
  using worker::Pool;
  using worker::PoolOptions;
  return {{"threads",
           [](const PoolOptions& options) -> std::unique_ptr<Pool> {
             return std::make_unique<worker::ThreadPool>(options);
           }},
          {"processes", [](const PoolOptions& options) -> std::unique_ptr<Pool> {
             auto pool = worker::ProcessPool::open(options, {});
             FRAMEFLEET_ASSERT(pool.has_value());
             return std::move(*pool);
           }}};
}

std::size_t processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
}

worker::PoolOptions with_slots(std::size_t slots) {
  worker::PoolOptions options;
  options.slots = slots;
  return options;
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
    cpu_ms.push_back(1e3 * (family_cpu_seconds() - before) / static_cast<double>(pace.pictures));
    paces.push_back(pace.pictures_per_s);
    detections = std::max(detections, pace.detections);
  }
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::vector<Contestant> contestants(const Load& load, std::size_t cores) {
  std::vector<Contestant> all;
  all.push_back({"plain loop", 1, make_naive_loop(load)});
  all.push_back({"our decode plan in a loop", 1, make_plan_loops(load, 1)});
  for (const auto& kind : pool_kinds()) {
    all.push_back(
        {"one worker, " + kind.name, 1, make_pool_runner(load, kind.make(with_slots(1)))});
  }
  all.push_back({fmt::format("{} such loops at once", cores), cores, make_plan_loops(load, cores)});
  for (const auto& kind : pool_kinds()) {
    all.push_back({fmt::format("fleet of {}, {}", cores, kind.name), cores,
                   make_pool_runner(load, kind.make(with_slots(cores)))});
  }
  return all;
}

void compare(const Load& load, const std::string& title, const Arguments& arguments) {
  const std::size_t cores = processors();
  auto all = contestants(load, cores);
  for (auto& each : all) each.runner->run(0);  // Warm.
  for (int round = 0; round < arguments.repetitions; ++round) {
    for (auto& each : all) each.run(arguments.seconds);
  }
  const double plain = median(all[0].paces);
  const double plan = median(all[1].paces);
  const double plan_cpu_ms = median(all[1].cpu_ms);
  fmt::print("\n{}\n{:<28}{:>12}{:>9}{:>9}{:>10}{:>11}{:>12}\n", title, "", "pictures/s", "/ plain",
             "/ plan", "CPU ms", "CPU / plan", "detections");
  for (auto& each : all) {
    const auto threads = static_cast<double>(each.threads);
    const double pace = median(each.paces);
    const double cpu_ms = median(each.cpu_ms);
    fmt::print("{:<28}{:>12.2f}{:>9.2f}{:>9.2f}{:>10.2f}{:>11.2f}{:>12}\n", each.name, pace,
               pace / (threads * plain), pace / (threads * plan), cpu_ms, cpu_ms / plan_cpu_ms,
               each.detections == 0 ? "-" : std::to_string(each.detections));
  }
  std::fflush(stdout);
}

/// What a worker pays before its first result, and for each slot.
void measure_start() {
  const Load load{{make_picture(1280, 720, 0)}, {"edges", "corners", "faces"}};
  const auto ms_since = [](Time begin) {
    return std::chrono::duration<double, std::milli>(telemetry::monotonic_now() - begin).count();
  };
  fmt::print("{:<28}{:>12}{:>16}{:>12}\n", "start", "pool ms", "first results", "MB / slot");
  for (const auto& kind : pool_kinds()) {
    const std::size_t slots = processors();
    const auto before = family_memory();
    const auto begin = telemetry::monotonic_now();
    auto pool = kind.make(with_slots(slots));
    const double made = ms_since(begin);
    const auto runner = make_pool_runner(load, std::move(pool));
    runner->run(0);
    const double ready = ms_since(begin);
    const double memory = static_cast<double>(family_memory()) - static_cast<double>(before);
    fmt::print("{:<28}{:>12.2f}{:>16.0f}{:>12.1f}\n", fmt::format("{} slots, {}", slots, kind.name),
               made, ready, memory / 1e6 / static_cast<double>(slots));
  }
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

void compare_all(const Arguments& arguments) {
  struct Size {
    const char* name;
    int width;
    int height;
  };
  std::vector<std::string> combinations{"edges", "corners", "faces", "edges,corners,faces"};
  if (!arguments.detectors.empty()) combinations = {arguments.detectors};
  for (const auto& size : {Size{"720p", 1280, 720}, Size{"1080p", 1920, 1080}}) {
    Load load;
    for (int i = 0; i < kPictures; ++i) {
      load.pictures.push_back(make_picture(size.width, size.height, i));
    }
    for (const auto& combination : combinations) {
      load.detectors = split(combination);
      compare(load, fmt::format("{} at {}", combination, size.name), arguments);
    }
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
  if (const auto code = worker::run_as_zygote(argc, argv)) return *code;
  if (argc > 1 && std::string_view(argv[1]) == "drift") {
    bench::print_drift({argv + 2, argv + argc});
    return exit_code::kOk;
  }
  const auto arguments = bench::read_arguments(argc, argv);
  if (!arguments) {
    std::fputs("usage: bench-vision [SECONDS [REPETITIONS [DETECTORS]]]\n", stderr);
    return exit_code::kUsage;
  }
  bench::measure_start();
  bench::compare_all(*arguments);
  return 0;
}
