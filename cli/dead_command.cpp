#include "cli/dead_command.hpp"

#include "cli/dead_export.hpp"
#include "cli/dead_letters.hpp"
#include "cli/dead_revive.hpp"
#include "cli/humane.hpp"
#include "cli/operator_client.hpp"
#include "cli/operator_options.hpp"
#include "cli/task_words.hpp"

#include "shared/config/option_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

namespace framefleet::cli {
namespace {

/// "framefleet dead list": the words before the options.
constexpr std::size_t kVerbWords = 2;

using PrintLetters = void (*)(const std::vector<DeadLetter>& letters, const Answer& answer);

/// Asks for dead letters and prints the answer: its document as it is, or what `print` makes of it.
Result<int, Error> show_letters(const OperatorOptions& options, Control control, bool json,
                                PrintLetters print) {
  auto client = OperatorClient::open(options);
  if (!client) return fail(std::move(client.error()));
  const auto answer = (*client)->demand(std::move(control));
  if (!answer) return fail(answer.error());
  if (json) {
    fmt::print("{}\n", answer->document);
    return exit_code::kOk;
  }
  const auto letters = parse_dead_letters(answer->document);
  if (!letters) return fail(Error{letters.error()});
  print(*letters, *answer);
  return exit_code::kOk;
}

void print_list(const std::vector<DeadLetter>& letters, const Answer& answer) {
  fmt::print("{}", render_dead_letters(letters));
  if (!letters.empty() && !answer.text.empty()) fmt::print("{}\n", printable(answer.text));
}

void print_each(const std::vector<DeadLetter>& letters, const Answer& /*answer*/) {
  for (const auto& letter : letters) {
    if (letters.size() > 1) fmt::print("\n");
    fmt::print("{}", render_dead_letter(letter));
  }
}

int list_command(const std::vector<std::string>& words) {
  OperatorOptions options;
  std::uint64_t limit = 100;
  bool json = false;
  config::OptionSet set("framefleet dead list", "Lists dead letters, the newest first.");
  describe(set, options);
  set.section("dead")
      .add("limit", limit, {.help = "At most so many.", .min = 1, .max = 1'000'000})
      .add("json", json, {.help = "The document as the sink sent it, on one line."});
  set.epilog(operator_epilog());
  return run_verb(
      set, words,
      [&]() -> Result<int, Error> {
        Control control;
        control.verb = ControlVerb::dead_list;
        control.limit = limit;
        return show_letters(options, std::move(control), json, print_list);
      },
      kVerbWords);
}

int show_command(const std::vector<std::string>& words) {
  OperatorOptions options;
  bool json = false;
  std::vector<std::string> ids;
  config::OptionSet set("framefleet dead show", "Shows all that is known of dead letters.");
  describe(set, options);
  set.section("dead").add("json", json, {.help = "The document as the sink sent it."});
  set.positional("id", ids, {.help = "Ids of tasks.", .count_min = 1, .count_max = 100});
  set.epilog(operator_epilog());
  return run_verb(
      set, words,
      [&]() -> Result<int, Error> {
        auto tasks = parse_tasks(ids);
        if (!tasks) return fail(std::move(tasks.error()));
        Control control;
        control.verb = ControlVerb::dead_show;
        control.tasks = *std::move(tasks);
        return show_letters(options, std::move(control), json, print_each);
      },
      kVerbWords);
}

int export_command(const std::vector<std::string>& words) {
  OperatorOptions options;
  std::filesystem::path to;
  std::vector<std::string> ids;
  config::OptionSet set("framefleet dead export", "Writes the picture of a dead letter to a file.");
  describe(set, options);
  set.section("dead").add(
      "to", to, {.help = "The file; without it the name of the picture's own file, or the id."});
  set.positional("id", ids, {.help = "Id of the task.", .count_min = 1, .count_max = 1});
  set.epilog(
      operator_epilog("No file is overwritten. Also: 73 the file exists or cannot be "
                      "created; 74 disk error.\n"));
  return run_verb(
      set, words,
      [&]() -> Result<int, Error> {
        const auto tasks = parse_tasks(ids);
        if (!tasks) return fail(tasks.error());
        return export_dead_letter(options, tasks->front(), to);
      },
      kVerbWords);
}

/// The tasks that are named; 64 unless either some are, or all are meant.
Result<std::vector<TaskId>, Error> tasks_or_all(const std::vector<std::string>& ids, bool all) {
  if (all != ids.empty()) {
    return fail(Error{"name ids of tasks, or give --all", exit_code::kUsage});
  }
  return parse_tasks(ids);
}

int purge_command(const std::vector<std::string>& words) {
  OperatorOptions options;
  bool all = false;
  bool yes = false;
  std::vector<std::string> ids;
  config::OptionSet set("framefleet dead purge",
                        "Lets the store forget the pictures of dead letters; their rows stay.");
  describe(set, options);
  set.section("dead")
      .add("all", all, {.help = "Every dead letter."})
      .add("yes", yes, {.help = "Do not ask."});
  set.positional("id", ids, {.help = "Ids of tasks.", .count_max = 10'000});
  set.epilog(operator_epilog());
  return run_verb(
      set, words,
      [&]() -> Result<int, Error> {
        const auto tasks = tasks_or_all(ids, all);
        if (!tasks) return fail(tasks.error());
        const std::string which =
            all ? "every dead letter" : fmt::format("{} dead letter(s)", ids.size());
        const auto sure = confirm(fmt::format("The picture of {} is lost. Really?", which), yes);
        if (!sure) return fail(sure.error());
        if (!*sure) return exit_code::kOk;
        if (!all) return carry_out_for(options, ControlVerb::dead_purge, *tasks);
        Control control;
        control.verb = ControlVerb::dead_purge;
        return carry_out(options, std::move(control));
      },
      kVerbWords);
}

int revive_command(const std::vector<std::string>& words) {
  OperatorOptions options;
  ReviveOptions revive;
  std::vector<std::string> ids;
  config::OptionSet set("framefleet dead revive",
                        "Submits dead letters as new tasks and waits for their outcomes.");
  describe(set, options);
  set.section("dead")
      .add("all", revive.all, {.help = "Every one that has a picture and was not revived yet."})
      .add("json", revive.json, {.help = "One JSON object per task."});
  set.positional("id", ids, {.help = "Ids of tasks.", .count_max = 10'000});
  set.epilog(operator_epilog(
      "Ctrl-C ends the waiting, not the tasks. Also: 3 one of them did not end ok this time "
      "either.\n"));
  return run_verb(
      set, words,
      [&]() -> Result<int, Error> {
        auto tasks = tasks_or_all(ids, revive.all);
        if (!tasks) return fail(std::move(tasks.error()));
        revive.tasks = *std::move(tasks);
        return revive_dead_letters(options, std::move(revive));
      },
      kVerbWords);
}

struct DeadVerb {
  std::string_view name;
  std::string_view summary;
  int (*run)(const std::vector<std::string>& words);
};

constexpr std::array kDeadVerbs{
    DeadVerb{"list", "the newest of them", list_command},
    DeadVerb{"show", "all that is known of one", show_command},
    DeadVerb{"export", "write the picture of one to a file", export_command},
    DeadVerb{"revive", "try them again, as new tasks", revive_command},
    DeadVerb{"purge", "forget their pictures", purge_command},
};

std::string usage() {
  std::string text = "Usage: framefleet dead COMMAND [options] …\n\nCommands:\n";
  for (const auto& verb : kDeadVerbs) text += fmt::format("  {:<10}{}\n", verb.name, verb.summary);
  return text + "\n'framefleet dead COMMAND --help' says more.\n";
}

}  // namespace

int dead_command(const std::vector<std::string>& words) {
  const std::string name = words.size() > kVerbWords ? words[kVerbWords] : std::string{};
  if (name == "--help" || name == "-h") {
    fmt::print("framefleet dead: failed tasks whose pictures the store keeps\n\n{}", usage());
    return exit_code::kOk;
  }
  const auto* const verb = std::find_if(kDeadVerbs.begin(), kDeadVerbs.end(),
                                        [&](const DeadVerb& each) { return each.name == name; });
  if (verb != kDeadVerbs.end()) return verb->run(words);
  const std::string what = name.empty() ? "which command?" : "there is no command '" + name + "'";
  fmt::print(stderr, "framefleet dead: {}\n\n{}", what, usage());
  return exit_code::kUsage;
}

}  // namespace framefleet::cli
