// framefleet: what a person types. A table of verbs, each in a file of its own; a new one is its
// file and one line here. Exit codes are those of the verb (docs/OPERATIONS.md); 64 where there is
// no such verb, 70 for an error nobody expected.

#include "cli/autoscale_command.hpp"
#include "cli/bench_command.hpp"
#include "cli/cancel_command.hpp"
#include "cli/compare_command.hpp"
#include "cli/cost_command.hpp"
#include "cli/dead_command.hpp"
#include "cli/detect_command.hpp"
#include "cli/drain_command.hpp"
#include "cli/export_command.hpp"
#include "cli/health_command.hpp"
#include "cli/journal_command.hpp"
#include "cli/keys_command.hpp"
#include "cli/models_command.hpp"
#include "cli/pause_command.hpp"
#include "cli/run_command.hpp"
#include "cli/show_commands.hpp"
#include "cli/stats_command.hpp"

#include "shared/base/result.hpp"
#include "shared/config/version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace framefleet;

struct Verb {
  std::string_view name;
  std::string_view summary;
  int (*run)(const std::vector<std::string>& words);
};

constexpr std::array kVerbs{
    Verb{"run", "start a fleet on this machine, run pictures through it, report", cli::run_command},
    Verb{"detect", "look at pictures on the spot, without a fleet", cli::detect_command},
    Verb{"stats", "what pictures there are: number, formats, sizes, which are bad",
         cli::stats_command},
    Verb{"cost", "measure what pictures cost here, and how many cameras a worker takes",
         cli::cost_command},
    Verb{"compare", "one process in a loop against a fleet, on this machine", cli::compare_command},
    Verb{"bench", "the fleet's speed beside what else one would pick (builds that measure)",
         cli::bench_command},
    Verb{"export", "write the detections of a job as COCO or YOLO files", cli::export_command},
    Verb{"status", "a running fleet in one look", cli::status_command},
    Verb{"workers", "its workers, what they can do and have", cli::workers_command},
    Verb{"sources", "its sources of pictures, and what became of their tasks; reload: cameras anew",
         cli::sources_command},
    Verb{"jobs", "its jobs, how far they are and how long to go", cli::jobs_command},
    Verb{"dead", "failed tasks whose pictures are kept: list, show, export, revive, purge",
         cli::dead_command},
    Verb{"drain", "let a worker, or the broker, finish what it has and leave", cli::drain_command},
    Verb{"autoscale", "run workers on this machine, as many as a running broker needs",
         cli::autoscale_command},
    Verb{"pause", "hand out nothing more, of one source or of all", cli::pause_command},
    Verb{"resume", "end a pause", cli::resume_command},
    Verb{"journal", "a broker's journal, by hand: check, salvage, backup, stats",
         cli::journal_command},
    Verb{"keys", "who may connect to a broker: new, list, allow, revoke, rotate",
         cli::keys_command},
    Verb{"models", "the models of a folder: list, check, fetch", cli::models_command},
    Verb{"health", "ask one process whether it is ready, for health checks", cli::health_command},
    Verb{"cancel", "end a job, or single tasks, as cancelled", cli::cancel_command},
};

std::string usage() {
  std::string text = "Usage: framefleet COMMAND [options] …\n\nCommands:\n";
  for (const Verb& verb : kVerbs) text += fmt::format("  {:<10}{}\n", verb.name, verb.summary);
  return text + "\n'framefleet COMMAND --help' says more. --version names the build.\n";
}

int run_verb(const std::vector<std::string>& words) {
  const std::string name = words.size() > 1 ? words[1] : std::string{};
  if (name == "--help" || name == "-h") {
    fmt::print("{}: turns pictures into detections\n\n{}", "framefleet", usage());
    return exit_code::kOk;
  }
  if (name == "--version") {
    fmt::print("framefleet {} ({})\n", config::version(), config::build());
    return exit_code::kOk;
  }
  const auto* const verb = std::find_if(kVerbs.begin(), kVerbs.end(),
                                        [&](const Verb& each) { return each.name == name; });
  if (verb == kVerbs.end()) {
    const std::string what = name.empty() ? "which command?" : "there is no command '" + name + "'";
    fmt::print(stderr, "framefleet: {}\n\n{}", what, usage());
    return exit_code::kUsage;
  }
  return verb->run(words);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_verb({argv, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "framefleet: %s\n", error.what());
    return exit_code::kInternal;
  }
}
