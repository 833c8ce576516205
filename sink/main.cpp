// framefleet-sink: takes outcomes from the broker and keeps them: SQLite, NDJSON, pictures.
// Connects to one broker (see --connect). SIGTERM, SIGINT or SIGUSR1: commit what is here, then
// leave; a second SIGTERM or SIGINT: stop now. Exit codes: 0; 3 a drain gave up; 64 flags; 69 the
// folder is in use or the broker refuses; 70 a bug; 73 the folder cannot be created; 74 disk error;
// 78 configuration.

#include "sink/options.hpp"
#include "sink/shell.hpp"

#include "shared/config/option_set.hpp"
#include "shared/telemetry/program.hpp"

int main(int argc, char** argv) {
  using namespace framefleet;
  sink::SinkOptions options;
  telemetry::ProgramOptions common;
  config::OptionSet set{"framefleet-sink", "Takes outcomes from the broker and keeps them."};
  sink::describe(set, options);
  telemetry::describe(set, common);
  set.epilog(
      "Signals: SIGTERM, SIGINT, SIGUSR1 commit what is here and leave; a second SIGTERM or "
      "SIGINT\n"
      "stops now. Exit codes: 0, 3 a drain gave up, 64 flags, 69 the folder is in use or the\n"
      "broker refuses, 70 a bug, 73 the folder cannot be created, 74 disk error, 78 "
      "configuration.");
  return telemetry::run_program(
      argc, argv, set, common,
      {.run = [&options](telemetry::Program& program) -> Result<int, Error> {
        auto shell = sink::Shell::open(options, program);
        if (!shell) return fail(shell.error());
        return (*shell)->run();
      }});
}
