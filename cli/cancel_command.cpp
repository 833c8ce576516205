#include "cli/cancel_command.hpp"

#include "cli/operator_client.hpp"
#include "cli/operator_options.hpp"
#include "cli/task_words.hpp"

#include "shared/config/option_set.hpp"

#include <fmt/format.h>

#include <utility>

namespace framefleet::cli {
namespace {

Result<int, Error> cancel_job(const OperatorOptions& options, const std::string& job, bool yes) {
  const auto sure = confirm(
      fmt::format("Job '{}' ends with what it has, the rest is cancelled. Really?", job), yes);
  if (!sure) return fail(sure.error());
  if (!*sure) return exit_code::kOk;
  Control control;
  control.verb = ControlVerb::cancel_job;
  control.name = job;
  return carry_out(options, std::move(control));
}

Result<int, Error> cancel_tasks(const OperatorOptions& options,
                                const std::vector<std::string>& words, bool yes) {
  auto tasks = parse_tasks(words);
  if (!tasks) return fail(std::move(tasks.error()));
  const auto sure =
      confirm(fmt::format("{} task(s) will be cancelled. Really?", tasks->size()), yes);
  if (!sure) return fail(sure.error());
  if (!*sure) return exit_code::kOk;
  return carry_out_for(options, ControlVerb::cancel_task, *tasks);
}

}  // namespace

int cancel_command(const std::vector<std::string>& words) {
  OperatorOptions options;
  bool task = false;
  bool yes = false;
  std::vector<std::string> names;
  config::OptionSet set("framefleet cancel", "Ends a job, or single tasks, as cancelled.");
  describe(set, options);
  set.section("cancel")
      .add("task", task, {.help = "The names are ids of tasks."})
      .add("yes", yes, {.help = "Do not ask."});
  set.positional(
      "name", names,
      {.help = "A job; with --task: ids of tasks.", .count_min = 1, .count_max = 10'000});
  set.epilog(operator_epilog("Work that is under way stops at its next stage.\n"));
  return run_verb(set, words, [&]() -> Result<int, Error> {
    if (task) return cancel_tasks(options, names, yes);
    if (names.size() == 1) return cancel_job(options, names.front(), yes);
    return fail(Error{"one job at a time; ids of tasks need --task", exit_code::kUsage});
  });
}

}  // namespace framefleet::cli
