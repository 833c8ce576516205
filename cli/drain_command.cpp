#include "cli/drain_command.hpp"

#include "cli/operator_client.hpp"
#include "cli/operator_options.hpp"

#include "shared/config/option_set.hpp"

#include <fmt/format.h>

#include <utility>

namespace framefleet::cli {

int drain_command(const std::vector<std::string>& words) {
  OperatorOptions options;
  bool broker = false;
  bool yes = false;
  std::vector<std::string> workers;
  config::OptionSet set("framefleet drain",
                        "Lets a worker, or the broker, finish what it has and leave.");
  describe(set, options);
  set.section("drain")
      .add("broker", broker,
           {.help = "The broker itself: it takes nothing new, and leaves when all is stored."})
      .add("yes", yes, {.help = "Do not ask whether the broker is to leave."});
  set.positional("worker", workers,
                 {.help = "Name of a worker; all that have it leave.", .count_max = 1});
  set.epilog(
      operator_epilog("Like SIGTERM to that process: its exit code is 0 when all is done.\n"));
  return run_verb(set, words, [&]() -> Result<int, Error> {
    if (broker != workers.empty()) {
      return fail(Error{"name a worker, or give --broker", exit_code::kUsage});
    }
    Control control;
    control.verb = ControlVerb::drain_worker;
    if (broker) {
      const auto sure = confirm("The broker will take nothing new and leave. Really?", yes);
      if (!sure) return fail(sure.error());
      if (!*sure) return exit_code::kOk;
      control.verb = ControlVerb::drain_broker;
    } else {
      control.name = workers.front();
    }
    return carry_out(options, std::move(control));
  });
}

}  // namespace framefleet::cli
