// framefleet-broker: takes tasks in from producers, hands them to workers, and their outcomes to
// the sink. Binds one socket (see --bind). SIGTERM, SIGINT or SIGUSR1: finish what is here, then
// leave; a second SIGTERM or SIGINT: stop now. Exit codes: 0; 3 a drain gave up; 64 flags; 69 an
// address or the journal is taken; 70 a bug; 73 the journal's folder or the audit log cannot be
// made; 74 the disk or the file of the journal; 78 configuration.

#include "broker/options.hpp"
#include "broker/shell.hpp"

#include "shared/config/option_set.hpp"
#include "shared/processes/resource_limits.hpp"
#include "shared/telemetry/program.hpp"

int main(int argc, char** argv) {
  using namespace framefleet;
  broker::BrokerOptions options;
  telemetry::ProgramOptions common;
  config::OptionSet set{"framefleet-broker",
                        "Takes tasks in, hands them to workers, and their outcomes to the sink."};
  broker::describe(set, options);
  telemetry::describe(set, common);
  set.epilog(
      "Signals: SIGTERM, SIGINT, SIGUSR1 finish what is here and leave; a second SIGTERM or "
      "SIGINT\n"
      "stops now. Exit codes: 0, 3 a drain gave up, 64 flags, 69 an address or the journal is\n"
      "taken, 70 a bug, 73 the journal's folder or the audit log cannot be made, 74 the disk or\n"
      "the journal's file, 78 configuration.");
  return telemetry::run_program(
      argc, argv, set, common,
      {.before_threads = [&options](telemetry::Logger&) -> Result<void, Error> {
         raise_limit(RLIMIT_NOFILE);  // of connections: whoever says nothing keeps one for 2 s
         if (options.memory_max != 0) limit_resource(RLIMIT_DATA, options.memory_max);
         return {};
       },
       .run = [&options](telemetry::Program& program) -> Result<int, Error> {
         options.hub.frame_bytes_max = broker::frame_bytes_max(options.core);
         auto shell = broker::Shell::open(options, program);
         if (!shell) return fail(shell.error());
         return (*shell)->run();
       }});
}
