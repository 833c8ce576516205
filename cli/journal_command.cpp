#include "cli/journal_command.hpp"

#include "broker/journals/journal_tools.hpp"
#include "cli/humane.hpp"
#include "cli/operator_options.hpp"
#include "cli/table.hpp"

#include "shared/config/option_set.hpp"
#include "shared/telemetry/monotonic.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

namespace framefleet::cli {
namespace {

using Json = nlohmann::ordered_json;

/// "framefleet journal check": the words before the options.
constexpr std::size_t kVerbWords = 2;

constexpr const char* kExitCodes =
    "Exit codes: 0 done, nothing wrong; 3 tasks are damaged or lost, and named; 64 usage; 66 there "
    "is no journal; 69 a broker has it; 70 internal; 73 cannot create output; 74 the journal "
    "cannot be read.\n";

struct JournalOptions {
  std::vector<std::string> paths;
  bool json{false};
};

/// One of the verbs, whose positional arguments are `paths_count` paths.
int run(const std::string& verb, const std::string& help, const std::string& paths_help,
        std::size_t paths_count, const std::vector<std::string>& words,
        const std::function<Result<int, Error>(const JournalOptions&)>& act) {
  JournalOptions options;
  config::OptionSet set("framefleet journal " + verb, help);
  set.section("journal").add("json", options.json, {.help = "As one JSON object."});
  set.positional("path", options.paths,
                 {.help = paths_help, .count_min = paths_count, .count_max = paths_count});
  set.epilog(kExitCodes);
  return run_verb(
      set, words, [&] { return act(options); }, kVerbWords);
}

Json as_json(const std::vector<broker::DamagedTask>& tasks) {
  auto list = Json::array();
  for (const auto& task : tasks) list.push_back({{"id", to_string(task.id)}, {"text", task.text}});
  return list;
}

void print_tasks(const std::vector<broker::DamagedTask>& tasks) {
  constexpr std::size_t kWide = 80;
  Table table({{"task", Align::left, kWide}, {"what is wrong", Align::left, kWide}});
  for (const auto& task : tasks) table.add({to_string(task.id), task.text});
  fmt::print("{}", table.render());
}

Result<int, Error> check(const JournalOptions& options) {
  const auto findings = broker::check_journal(options.paths[0]);
  if (!findings) return fail(findings.error());
  if (options.json) {
    const Json document{{"tasks", findings->tasks},
                        {"sources", findings->sources},
                        {"jobs", findings->jobs},
                        {"quarantined", findings->quarantined},
                        {"incarnation", findings->incarnation},
                        {"damaged", as_json(findings->damaged)},
                        {"problems", findings->problems}};
    fmt::print("{}\n", document.dump());
  } else if (findings->problems.empty()) {
    fmt::print("{} tasks are whole, {} damaged, {} in quarantine; {} sources, {} jobs\n",
               findings->tasks, findings->damaged.size(), findings->quarantined, findings->sources,
               findings->jobs);
    if (!findings->damaged.empty()) print_tasks(findings->damaged);
  }
  if (!findings->problems.empty()) return fail(broker::unusable(options.paths[0], *findings));
  return findings->damaged.empty() ? exit_code::kOk : exit_code::kSomeFailed;
}

Result<int, Error> salvage(const JournalOptions& options) {
  const auto now_s = telemetry::wall_clock_ms() / 1000;
  const auto saved =
      broker::salvage(options.paths[0], options.paths[1], static_cast<std::uint32_t>(now_s));
  if (!saved) return fail(saved.error());
  if (options.json) {
    Json document{{"tasks", saved->tasks},       {"sources", saved->sources},
                  {"jobs", saved->jobs},         {"counted", nullptr},
                  {"missing", saved->missing()}, {"may_have_settled", saved->may_have_settled},
                  {"lost", as_json(saved->lost)}};
    if (saved->counted) document["counted"] = *saved->counted;
    fmt::print("{}\n", document.dump());
  } else {
    fmt::print(
        "{} tasks, {} sources and {} jobs are saved to {}; {} tasks are lost and named, "
        "{}\n",
        saved->tasks, saved->sources, saved->jobs, options.paths[1], saved->lost.size(),
        saved->counted ? fmt::format("{} missing without a name", saved->missing())
                       : "how many there should be is lost too");
    if (saved->may_have_settled) {
      fmt::print(
          "Tasks that were settled may be among the saved: they are done again, and their "
          "outcomes stored once.\n");
    }
    if (!saved->lost.empty()) print_tasks(saved->lost);
  }
  const bool all = saved->lost.empty() && saved->counted && saved->missing() == 0;
  return all ? exit_code::kOk : exit_code::kSomeFailed;
}

Result<int, Error> backup(const JournalOptions& options) {
  if (auto copied = broker::back_up(options.paths[0], options.paths[1]); !copied) {
    return fail(copied.error());
  }
  if (options.json) fmt::print("{}\n", Json{{"file", options.paths[1]}}.dump());
  return exit_code::kOk;
}

Result<int, Error> stats(const JournalOptions& options) {
  const auto seen = broker::overview(options.paths[0]);
  if (!seen) return fail(seen.error());
  if (options.json) {
    const Json document{
        {"tasks", seen->stats.tasks},         {"used_bytes", seen->stats.used_bytes},
        {"bytes_max", seen->stats.bytes_max}, {"quarantined", seen->quarantined},
        {"sources", seen->sources},           {"jobs", seen->jobs},
        {"incarnation", seen->incarnation}};
    fmt::print("{}\n", document.dump());
    return exit_code::kOk;
  }
  const auto used = static_cast<double>(seen->stats.used_bytes);
  const auto size = static_cast<double>(seen->stats.bytes_max);
  fmt::print(
      "{} tasks, {} in quarantine; {} of {} in use ({:.0f} %); {} sources, {} jobs; "
      "incarnation {}\n",
      seen->stats.tasks, seen->quarantined, humane_bytes(used), humane_bytes(size),
      size > 0 ? 100 * used / size : 0.0, seen->sources, seen->jobs, seen->incarnation);
  return exit_code::kOk;
}

int check_command(const std::vector<std::string>& words) {
  return run("check", "Reads a journal that no broker has from end to end.", "DIR: the journal.", 1,
             words, check);
}
int salvage_command(const std::vector<std::string>& words) {
  return run("salvage", "Saves what is whole of a damaged journal into a new one.",
             "DIR NEWDIR: the damaged journal, and the folder of the new one.", 2, words, salvage);
}
int backup_command(const std::vector<std::string>& words) {
  return run("backup", "Copies a journal, also while its broker runs.",
             "DIR FILE: the journal, and the file to write; FILE becomes a journal as data.mdb in "
             "a folder of its own.",
             2, words, backup);
}
int stats_command(const std::vector<std::string>& words) {
  return run("stats", "Says what a journal holds, also while its broker runs.", "DIR: the journal.",
             1, words, stats);
}

struct JournalVerb {
  std::string_view name;
  std::string_view summary;
  int (*run)(const std::vector<std::string>& words);
};

constexpr std::array kJournalVerbs{
    JournalVerb{"check", "read it from end to end", check_command},
    JournalVerb{"salvage", "save what is whole into a new one", salvage_command},
    JournalVerb{"backup", "copy it while its broker runs", backup_command},
    JournalVerb{"stats", "what it holds", stats_command},
};

std::string usage() {
  std::string text = "Usage: framefleet journal COMMAND [options] …\n\nCommands:\n";
  for (const auto& verb : kJournalVerbs) {
    text += fmt::format("  {:<10}{}\n", verb.name, verb.summary);
  }
  return text + "\n'framefleet journal COMMAND --help' says more.\n";
}

}  // namespace

int journal_command(const std::vector<std::string>& words) {
  const std::string name = words.size() > kVerbWords ? words[kVerbWords] : std::string{};
  if (name == "--help" || name == "-h") {
    fmt::print("framefleet journal: the tasks that a broker keeps on its disk\n\n{}", usage());
    return exit_code::kOk;
  }
  const auto* const verb = std::find_if(kJournalVerbs.begin(), kJournalVerbs.end(),
                                        [&](const JournalVerb& each) { return each.name == name; });
  if (verb != kJournalVerbs.end()) return verb->run(words);
  const std::string what = name.empty() ? "which command?" : "there is no command '" + name + "'";
  fmt::print(stderr, "framefleet journal: {}\n\n{}", what, usage());
  return exit_code::kUsage;
}

}  // namespace framefleet::cli
