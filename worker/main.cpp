// framefleet-worker: takes pictures from the broker, runs detectors on them, sends back what they
// found. Connects to one broker (see --connect). SIGTERM, SIGINT, SIGUSR1, or the broker's `drain`:
// finish what runs, then leave; a second SIGTERM or SIGINT: stop now. Exit codes: 0; 3 a drain gave
// up; 64 flags; 66 a file of a detector or model is missing; 69 the broker refuses; 70 a bug or a
// stuck task; 78 configuration. With pictures as arguments it looks at those instead, without a
// broker (worker/once.hpp); then 3 is a picture that failed and 73 one that cannot be written.

#include "worker/detector_commands.hpp"
#include "worker/model_list.hpp"
#include "worker/models.hpp"
#include "worker/once.hpp"
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
  worker::OnceOptions once;
  worker::describe(set, options);
  worker::describe(set, once);
  telemetry::describe(set, common);
  set.epilog(
      "Signals: SIGTERM, SIGINT, SIGUSR1 finish what runs and leave; a second SIGTERM or SIGINT\n"
      "stops now. Exit codes: 0, 3 a drain gave up, 64 flags, 66 a file of a detector or model is "
      "missing,\n"
      "69 the broker refuses, 70 a bug or a stuck task, 78 configuration.");
  return telemetry::run_program(
      argc, argv, set, common,
      {.run = [&options, &once](telemetry::Program& program) -> Result<int, Error> {
        const worker::TrialOptions trial{.memory_max = options.child_memory_max,
                                         .limits = options.pool.workbench.limits};
        if (options.list_models || options.check_models) {
          return worker::list_models(options.models, options.check_models ? &trial : nullptr);
        }
        const auto files = worker::read_model_files(options.models);
        if (!files) return fail(files.error());
        const auto tried = worker::try_models(*files, trial);
        options.pool.workbench.detectors.models = worker::good_ones(tried);
        options.refused_models = worker::refused_ones(tried);
        for (const auto& each : tried) {
          if (!each.trial) continue;
          for (const auto& why : each.trial->left_out) {
            program.log.warn("gallery_picture_left_out",
                             {{"model", each.model.name}, {"text", why}});
          }
        }
        if (worker::only_about_detectors(options)) return worker::run_detector_command(options);
        if (!once.pictures.empty()) return worker::work_once(options, once, program);
        if (options.name.empty()) options.name = telemetry::own_name("worker");
        if (options.slots == 0) options.slots = telemetry::usable_cpus();
        auto shell = worker::Shell::open(options, program);
        if (!shell) return fail(shell.error());
        auto ended = (*shell)->run();
        (*shell)->exit_if_working(ended);
        return ended;
      }});
}
