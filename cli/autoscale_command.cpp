#include "cli/autoscale_command.hpp"

#include "cli/autoscale_options.hpp"
#include "cli/autoscale_run.hpp"
#include "cli/fleet_commands.hpp"

#include "shared/config/load.hpp"
#include "shared/config/option_set.hpp"
#include "shared/config/version.hpp"
#include "shared/telemetry/signals.hpp"

#include <unistd.h>

#include <cstdint>

namespace framefleet::cli {

int autoscale_command(const std::vector<std::string>& words) {
  AutoscaleOptions options;
  config::OptionSet set("framefleet autoscale",
                        "Runs workers on this machine, as many as a running broker needs.");
  describe(set, options);
  const config::Outcome outcome = config::load(set, {words.begin() + 2, words.end()});
  config::print(outcome);
  if (!outcome.run()) return *outcome.exit_code;
  const telemetry::Signals signals = telemetry::Signals::block();
  telemetry::Logger log(options.log, "framefleet-autoscale");
  log.info("starting", {{"version", config::version()},
                        {"build", config::build()},
                        {"pid", std::int64_t{::getpid()}}});
  for (const std::string& warning : outcome.warnings) {
    log.warn("option_ignored", {{"text", warning}});
  }
  AutoscaleRun run(options, locate(own_folder(), "framefleet-worker"), log, signals);
  return run.run();
}

}  // namespace framefleet::cli
