// framefleet-producer: reads pictures and submits them to the broker. Connects to one broker (see
// --connect). SIGTERM, SIGINT or SIGUSR1: submit nothing more, wait for what is in flight, then
// leave; a second SIGTERM or SIGINT: stop now. SIGHUP: read the cameras again. Exit codes: 0; 3
// some pictures failed; 64 flags; 66 no pictures; 69 the broker refuses or the job is being worked
// on; 70 a bug; 73, 74 the manifest; 78 configuration.

#include "producer/options.hpp"
#include "producer/shell.hpp"

#include "shared/config/option_set.hpp"
#include "shared/telemetry/program.hpp"

int main(int argc, char** argv) {
  using namespace framefleet;
  producer::ProducerOptions options;
  telemetry::ProgramOptions common;
  config::OptionSet set{"framefleet-producer", "Reads pictures and submits them to the broker."};
  producer::describe(set, options);
  telemetry::describe(set, common);
  set.epilog(
      "Signals: SIGTERM, SIGINT, SIGUSR1 submit nothing more, wait for what is in flight and "
      "leave;\n"
      "a second SIGTERM or SIGINT stops now. SIGHUP reads the cameras of --config again. Exit "
      "codes: 0, 3 some pictures failed, 64 flags, 66 "
      "no\n"
      "pictures, 69 the broker refuses or the job is being worked on, 70 a bug, 73 and 74 the\n"
      "manifest, 78 configuration.");
  const auto read_again = [argc, argv] { return producer::read_cameras(argc, argv); };
  return telemetry::run_program(
      argc, argv, set, common,
      {.run = [&options, &read_again](telemetry::Program& program) -> Result<int, Error> {
        if (options.name.empty()) options.name = telemetry::own_name("producer");
        auto shell = producer::Shell::open(options, program, read_again);
        if (!shell) return fail(shell.error());
        return (*shell)->run();
      }});
}
