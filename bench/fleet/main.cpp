// framefleet-bench: what `framefleet bench` starts. The fleet's speed beside what a user would pick
// instead, measured in one run (bench/METHOD.md). Exit codes: 0 measured, whatever came of the
// targets; 64 usage; 70 a run failed or its counts do not close; 73, 74 the file; 78 configuration.

#include "cli/operator_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include "bench/fleet/backlog.hpp"
#include "bench/fleet/options.hpp"
#include "bench/fleet/order.hpp"
#include "bench/fleet/parts.hpp"
#include "bench/fleet/printing.hpp"
#include "bench/fleet/rounds.hpp"
#include "bench/fleet/scaling.hpp"
#include "bench/fleet/workload.hpp"

namespace framefleet::bench {
namespace {

/// The file of JSON lines; writes nothing where there is none.
class Lines {
 public:
  static Result<Lines, Error> open(const std::filesystem::path& file) {
    Lines lines;
    if (file.empty()) return lines;
    lines.file_.open(file);
    if (lines.file_) return lines;
    return fail(Error{"cannot write " + file.string(), exit_code::kCannotCreate});
  }
  void write(const std::string& text) { file_ << text << std::flush; }
  bool good() const { return !file_.is_open() || file_.good(); }

 private:
  std::ofstream file_;
};

/// What `scale` has beside its workload: sizes of the fleet, and a backlog.
Result<void, Error> measure_scale(const BenchOptions& options, Lines& lines) {
  const auto told = [&](const FleetSize& size, std::uint32_t round, const RunFigures& run) {
    fmt::print(stderr, "{}, round {}: {} workers, {} sources {:.0f} tasks/s\n",
               to_string(size.axis), round + 1, size.workers, size.sources, run.per_second);
    lines.write(scale_line(size, options, round, run));
  };
  const auto scaling = measure_scaling(options, told);
  if (!scaling) return fail(scaling.error());
  lines.write(scale_verdict_line(*scaling));
  fmt::print("{}", as_text(*scaling));
  std::fflush(stdout);
  const auto backlog = measure_backlog(options);
  if (!backlog) return fail(backlog.error());
  lines.write(backlog_lines(*backlog));
  fmt::print("{}", as_text(*backlog));
  return {};
}

/// Before anything is measured: what the machine cannot do would end the program later.
Result<void, Error> check_machine(const BenchOptions& options) {
  const auto& all = options.workloads;
  if (std::find(all.begin(), all.end(), "scale") == all.end()) return {};
  if (auto waiting = tasks_to_wait(options); !waiting) return fail(waiting.error());
  return make_room_for(options.crowd);
}

Result<int, Error> measure(const BenchOptions& options) {
  auto lines = Lines::open(options.json);
  if (!lines) return fail(lines.error());
  if (auto fits = check_machine(options); !fits) return fail(fits.error());
  for (const auto& name : options.workloads) {
    for (const auto& workload : workloads_of(name, options)) {
      const auto told = [&](const std::string& contestant, std::uint32_t round,
                            const RunFigures& run) {
        fmt::print(stderr, "{}, round {}: {} {:.1f} tasks/s\n", workload.name, round + 1,
                   contestant, run.per_second);
        lines->write(run_line(workload, options, contestant, round, run));
      };
      const auto standings = take_turns(workload, options, told);
      if (!standings) return fail(standings.error());
      lines->write(verdict_lines(workload, *standings));
      fmt::print("{}", as_text(workload, *standings));
      std::fflush(stdout);
    }
    if (name != "scale") continue;
    if (auto measured = measure_scale(options, *lines); !measured) return fail(measured.error());
  }
  if (!lines->good()) {
    return fail(Error{"cannot write " + options.json.string(), exit_code::kDiskError});
  }
  return exit_code::kOk;
}

int run(const std::vector<std::string>& words) {
  if (words.size() == 3 && words[1] == kPartWord) {
    const auto order = Order::from(words);
    if (order) return run_part(*order);
    fmt::print(stderr, "framefleet-bench: {}\n", order.error().text);
    return order.error().exit_code;
  }
  BenchOptions options;
  config::OptionSet set("framefleet bench",
                        "Measures the fleet beside what a user would pick instead, in one run.");
  describe(set, options);
  return cli::run_verb(
      set, words, [&] { return measure(options); }, 0);
}

}  // namespace
}  // namespace framefleet::bench

int main(int argc, char** argv) {
  try {
    return framefleet::bench::run({argv, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "framefleet-bench: %s\n", error.what());
    return framefleet::exit_code::kInternal;
  }
}
