// framefleet-sim --seed N [--seeds K] [--steps M] [--tasks T] [--trace]: runs the simulated fleet
// with K seeds from N on, each until it is at rest, or for M steps with faults close together. Exit
// 0 when every promise held; otherwise prints the seed, what broke and the last events.

#include "tests/simulation/world.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

std::uint64_t current_seed = 0;  // for the signal handler: which seed broke an assertion

void name_the_seed(int) {
  char text[96];
  const int length = std::snprintf(text, sizeof text, "framefleet-sim: aborted at --seed %llu\n",
                                   static_cast<unsigned long long>(current_seed));
  if (length > 0 && ::write(STDERR_FILENO, text, static_cast<std::size_t>(length)) < 0) _exit(2);
  _exit(2);
}

struct Arguments {
  std::uint64_t seed{1};
  std::uint64_t seeds{1};
  std::uint64_t steps{0};
  std::uint64_t tasks{20};
  bool trace{false};
};

bool parse(int argc, char** argv, Arguments& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--trace") {
      out.trace = true;
      continue;
    }
    if (i + 1 >= argc) return false;
    const auto value = std::strtoull(argv[++i], nullptr, 10);
    if (word == "--seed") {
      out.seed = value;
    } else if (word == "--seeds") {
      out.seeds = value;
    } else if (word == "--steps") {
      out.steps = value;
    } else if (word == "--tasks") {
      out.tasks = value;
    } else {
      return false;
    }
  }
  return true;
}

unsigned long long number(std::uint64_t value) { return value; }

framefleet::simulation::WorldOptions options_for(const Arguments& arguments) {
  framefleet::simulation::WorldOptions options;
  options.tasks_per_producer = arguments.tasks;
  options.trace = arguments.trace;
  options.steps_max = arguments.steps;
  if (arguments.steps > 0)
    options.fault_rate = 10;  // per second: about four in a schedule of 200 steps
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace framefleet::simulation;
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fprintf(
        stderr, "usage: framefleet-sim [--seed N] [--seeds K] [--steps M] [--tasks T] [--trace]\n");
    return 64;
  }
  std::signal(SIGABRT, name_the_seed);
  WorldReport sum;
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    current_seed = arguments.seed + i;
    auto options = options_for(arguments);
    options.seed = current_seed;
    auto report = World(options).run();
    sum.add(report);
    if (arguments.trace) {
      for (const auto& line : report.trace) std::printf("%s\n", line.c_str());
    }
    if (!report.violation) continue;
    std::printf("seed %llu: %s\n", number(current_seed), report.violation->text.c_str());
    options.trace = true;  // once more, to tell what led to it: the same seed gives the same run
    const auto again = World(options).run();
    const std::size_t from = again.trace.size() > 50 ? again.trace.size() - 50 : 0;
    for (std::size_t line = from; line < again.trace.size(); ++line) {
      std::printf("  %s\n", again.trace[line].c_str());
    }
    std::printf("again: framefleet-sim --seed %llu --steps %llu --tasks %llu --trace\n",
                number(current_seed), number(arguments.steps), number(arguments.tasks));
    return 1;
  }
  std::printf(
      "%llu seeds, %llu steps, %llu crashes, %llu cuts, %llu drains, "
      "%llu self-tests (%llu failed), %llu orders; "
      "%llu stored: %llu failed, %llu expired, %llu superseded, %llu cancelled, %llu lost (%llu "
      "unaccounted); "
      "%llu handed ahead, %llu recalled, %llu lined up (%llu taken back, %llu begun before), "
      "%llu restored, %llu ended from before, %llu worked on "
      "again; %llu thefts tried: no violation\n",
      number(arguments.seeds), number(sum.steps), number(sum.crashes), number(sum.cuts),
      number(sum.drains), number(sum.self_tests), number(sum.failed_self_tests),
      number(sum.controls), number(sum.stored), number(sum.failed), number(sum.expired),
      number(sum.superseded), number(sum.cancelled), number(sum.lost), number(sum.unaccounted),
      number(sum.handed_ahead), number(sum.recalled), number(sum.lined_up), number(sum.taken_back),
      number(sum.begun_before), number(sum.restored), number(sum.from_before),
      number(sum.worked_again), number(sum.thefts));
  return 0;
}
