// framefleet-worker: takes pictures from the broker, runs detectors on them, sends back what they
// found. Connects to one broker (see --connect). SIGTERM, SIGINT, SIGUSR1, or the broker's `drain`:
// finish what runs, then leave; a second SIGTERM or SIGINT: stop now. Exit codes: 0; 3 a drain gave
// up; 64 flags; 66 a file of a detector or model is missing; 69 the broker refuses; 70 a bug or a
// stuck task; 78 configuration.

#include "worker/detector_commands.hpp"
#include "worker/models.hpp"
#include "worker/options.hpp"
#include "worker/shell.hpp"

#include "shared/config/option_set.hpp"
#include "shared/telemetry/cpus.hpp"
#include "shared/telemetry/program.hpp"

int main(int argc, char** argv) {
  using namespace framefleet;
  if (const auto ended = worker::run_as_child_process(argc, argv)) return *ended;
  worker::WorkerOptions options;
  telemetry::ProgramOptions common;
  config::OptionSet set{"framefleet-worker",
                        "Takes pictures from the broker and runs detectors on them."};
  worker::describe(set, options);
  telemetry::describe(set, common);
  set.epilog(
      "Signals: SIGTERM, SIGINT, SIGUSR1 finish what runs and leave; a second SIGTERM or SIGINT\n"
      "stops now. Exit codes: 0, 3 a drain gave up, 64 flags, 66 a file of a detector or model is "
      "missing,\n"
      "69 the broker refuses, 70 a bug or a stuck task, 78 configuration.");
  return telemetry::run_program(
      argc, argv, set, common,
      {.run = [&options](telemetry::Program& program) -> Result<int, Error> {
        auto models = worker::read_models(options.models, options.pool.workbench.detectors);
        if (!models) return fail(models.error());
        options.pool.workbench.detectors.models = std::move(*models);
        if (worker::only_about_detectors(options)) return worker::run_detector_command(options);
        if (options.name.empty()) options.name = telemetry::own_name("worker");
        if (options.slots == 0) options.slots = telemetry::usable_cpus();
        auto shell = worker::Shell::open(options, program);
        if (!shell) return fail(shell.error());
        auto ended = (*shell)->run();
        (*shell)->exit_if_working(ended);
        return ended;
      }});
}
