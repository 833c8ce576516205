#include "cli/run_command.hpp"

#include "cli/fleet_run.hpp"
#include "cli/run_options.hpp"
#include "cli/shell_quote.hpp"

#include "shared/config/load.hpp"
#include "shared/telemetry/cpus.hpp"
#include "shared/telemetry/signals.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace framefleet::cli {
namespace {

bool lists_sources_on_a_terminal(const RunOptions& options) {
  const auto& sources = options.sources;
  return std::find(sources.begin(), sources.end(), "-") != sources.end() &&
         ::isatty(STDIN_FILENO) == 1;
}

}  // namespace

int run_command(const std::vector<std::string>& words) {
  RunOptions options;
  options.workers = telemetry::usable_cpus();
  config::OptionSet set("framefleet run",
                        "Starts a fleet on this machine, runs pictures through it and reports.");
  describe(set, options);
  const config::Outcome outcome = config::load(set, {words.begin() + 2, words.end()});
  config::print(outcome);
  if (!outcome.run()) return *outcome.exit_code;
  for (const std::string& warning : outcome.warnings) {
    std::fprintf(stderr, "framefleet run: %s\n", warning.c_str());
  }
  if (lists_sources_on_a_terminal(options)) {
    std::fputs(
        "framefleet run: '-' reads a list of pictures from stdin, which is a terminal; pipe "
        "the list in, as in: find photos -name '*.jpg' | framefleet run -\n",
        stderr);
    return exit_code::kUsage;
  }
  const telemetry::Signals signals = telemetry::Signals::block();
  FleetRun run(options, own_folder(), shell_command(words), signals);
  const int code = run.run();
  run.report();
  return code;
}

}  // namespace framefleet::cli
