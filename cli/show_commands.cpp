#include "cli/show_commands.hpp"

#include "cli/fleet_tables.hpp"
#include "cli/operator_client.hpp"
#include "cli/operator_options.hpp"

#include "shared/config/option_set.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace framefleet::cli {
namespace {

struct ShowOptions {
  OperatorOptions fleet;
  bool json{false};
  Duration watch{0};
};

void describe(config::OptionSet& set, ShowOptions& options) {
  describe(set, options.fleet);
  set.section("show")
      .add("json", options.json, {.help = "The document as the broker sent it, on one line."})
      .add("watch", options.watch,
           {.help = "Show it again and again, with this pause; 0s: once.",
            .max = std::chrono::hours(24)});
  set.epilog(operator_epilog());
}

/// What a verb shows, and of what.
struct Show {
  ControlVerb what;
  Rendered (*render)(const std::string& document);
  std::string job;  ///< Of this job alone; "": of all.
};

/// The document that is to be shown; 66 where it lacks what was asked for.
Result<std::string, Error> fetch(OperatorClient& client, const Show& show) {
  Control control;
  control.verb = show.what;
  auto answer = client.demand(std::move(control));
  if (!answer) return fail(std::move(answer.error()));
  if (show.job.empty()) return std::move(answer->document);
  auto job = only_job(answer->document, show.job);
  if (!job) return fail(Error{std::move(job.error())});
  if (!job->empty()) return *std::move(job);
  return fail(Error{fmt::format("the broker knows no job '{}'", show.job), exit_code::kNoInput});
}

Result<void, Error> print(const std::string& document, const Show& show,
                          const ShowOptions& options) {
  constexpr const char* kClearTerminal = "\x1b[H\x1b[J";
  if (options.json) {
    fmt::print("{}\n", document);
  } else {
    const auto text = show.render(document);
    if (!text) return fail(Error{text.error()});
    const bool redraws = options.watch > Duration::zero() && ::isatty(STDOUT_FILENO) == 1;
    fmt::print("{}{}", redraws ? kClearTerminal : "", *text);
  }
  std::fflush(stdout);
  return {};
}

Result<int, Error> run(const Show& show, const ShowOptions& options) {
  auto client = OperatorClient::open(options.fleet);
  if (!client) return fail(std::move(client.error()));
  while (true) {
    const auto document = fetch(**client, show);
    if (!document) return fail(document.error());
    if (auto printed = print(*document, show, options); !printed) return fail(printed.error());
    if (options.watch <= Duration::zero()) return exit_code::kOk;
    (*client)->idle(options.watch);
  }
}

/// The verbs that differ in what they show alone.
int show_command(const std::vector<std::string>& words, const std::string& summary,
                 const Show& show) {
  ShowOptions options;
  config::OptionSet set("framefleet " + std::string(to_string(show.what)), summary);
  describe(set, options);
  return run_verb(set, words, [&] { return run(show, options); });
}

/// The verb of two words: framefleet sources reload [PRODUCER].
int reload_command(const std::vector<std::string>& words) {
  OperatorOptions options;
  std::vector<std::string> producers;
  config::OptionSet set("framefleet sources reload",
                        "Lets producers read the cameras of their files again.");
  describe(set, options);
  set.positional("producer", producers,
                 {.help = "Those of this name; none: all that have cameras.", .count_max = 1});
  set.epilog(
      operator_epilog("A file that is wrong changes nothing, and is told with line and key.\n"));
  const auto act = [&]() -> Result<int, Error> {
    Control control;
    control.verb = ControlVerb::reload_sources;
    if (!producers.empty()) control.name = producers.front();
    return carry_out(options, std::move(control));
  };
  return run_verb(set, words, act, 2);
}

}  // namespace

int status_command(const std::vector<std::string>& words) {
  return show_command(words, "Shows the fleet in one look.",
                      {ControlVerb::status, render_status, {}});
}

int workers_command(const std::vector<std::string>& words) {
  return show_command(words, "Shows the workers, what they can do and have.",
                      {ControlVerb::workers, render_workers, {}});
}

int sources_command(const std::vector<std::string>& words) {
  if (words.size() > 2 && words[2] == "reload") return reload_command(words);
  return show_command(words, "Shows the sources of pictures and what became of their tasks.",
                      {ControlVerb::sources, render_sources, {}});
}

int jobs_command(const std::vector<std::string>& words) {
  ShowOptions options;
  std::vector<std::string> names;
  config::OptionSet set("framefleet jobs", "Shows the jobs, how far they are and how long to go.");
  describe(set, options);
  set.positional("job", names, {.help = "This one alone, with its ledger.", .count_max = 1});
  return run_verb(set, words, [&] {
    Show show{ControlVerb::jobs, render_jobs, {}};
    if (!names.empty()) show = {ControlVerb::jobs, render_job, names.front()};
    return run(show, options);
  });
}

}  // namespace framefleet::cli
