#include "cli/drain_command.hpp"

#include "cli/operator_client.hpp"
#include "cli/operator_options.hpp"

#include "shared/config/option_set.hpp"

#include <fmt/format.h>

#include <utility>

namespace framefleet::cli {
namespace {

struct DrainOptions {
  std::vector<std::string> workers;  ///< One name, or none.
  bool idlest{false};
  std::uint32_t count{1};
  std::vector<std::string> among;
  bool broker{false};
  bool yes{false};
};

Result<Control, Error> control_of(const DrainOptions& options) {
  const int meant =
      (options.workers.empty() ? 0 : 1) + (options.idlest ? 1 : 0) + (options.broker ? 1 : 0);
  if (meant != 1) {
    return fail(Error{"name a worker, or give --idlest or --broker", exit_code::kUsage});
  }
  if (!options.idlest && (options.count != 1 || !options.among.empty())) {
    return fail(Error{"--count and --among belong to --idlest", exit_code::kUsage});
  }
  Control control;
  control.verb = options.broker   ? ControlVerb::drain_broker
                 : options.idlest ? ControlVerb::drain_idlest
                                  : ControlVerb::drain_worker;
  if (!options.workers.empty()) control.name = options.workers.front();
  if (options.idlest) {
    control.limit = options.count;
    control.names = options.among;
  }
  return control;
}

}  // namespace

int drain_command(const std::vector<std::string>& words) {
  OperatorOptions operating;
  DrainOptions options;
  config::OptionSet set("framefleet drain",
                        "Lets a worker, or the broker, finish what it has and leave.");
  describe(set, operating);
  set.section("drain")
      .add("idlest", options.idlest,
           {.help = "A worker of the broker's choice: one without a task, else the least busy."})
      .add("count", options.count,
           {.help = "So many of them (--idlest).", .min = 1, .max = 1'000'000})
      .add("among", options.among,
           {.help = "Names of workers to choose from (--idlest); none: all."})
      .add("broker", options.broker,
           {.help = "The broker itself: it takes nothing new, and leaves when all is stored."})
      .add("yes", options.yes, {.help = "Do not ask whether the broker is to leave."});
  set.positional("worker", options.workers,
                 {.help = "Name of a worker; all that have it leave.", .count_max = 1});
  set.epilog(
      operator_epilog("Like SIGTERM to that process: its exit code is 0 when all is done.\n"));
  return run_verb(set, words, [&]() -> Result<int, Error> {
    auto control = control_of(options);
    if (!control) return fail(control.error());
    if (options.broker) {
      const auto sure = confirm("The broker will take nothing new and leave. Really?", options.yes);
      if (!sure) return fail(sure.error());
      if (!*sure) return exit_code::kOk;
    }
    return carry_out(operating, *std::move(control));
  });
}

}  // namespace framefleet::cli
