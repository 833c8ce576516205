#include "cli/pause_command.hpp"

#include "cli/operator_client.hpp"
#include "cli/operator_options.hpp"

#include "shared/config/option_set.hpp"

#include <utility>

namespace framefleet::cli {
namespace {

int set_pause(const std::vector<std::string>& words, ControlVerb verb, const char* summary) {
  OperatorOptions options;
  std::vector<std::string> sources;
  config::OptionSet set("framefleet " + std::string(to_string(verb)), summary);
  describe(set, options);
  set.positional("source", sources, {.help = "Name of a source; none: all.", .count_max = 1});
  set.epilog(operator_epilog("What is paused is still taken in, up to the broker's caps.\n"));
  return run_verb(set, words, [&]() -> Result<int, Error> {
    Control control;
    control.verb = verb;
    if (!sources.empty()) control.name = sources.front();
    return carry_out(options, std::move(control));
  });
}

}  // namespace

int pause_command(const std::vector<std::string>& words) {
  return set_pause(words, ControlVerb::pause,
                   "Lets the broker hand out nothing more, of one source or of all.");
}

int resume_command(const std::vector<std::string>& words) {
  return set_pause(words, ControlVerb::resume, "Ends a pause, of one source or that of all.");
}

}  // namespace framefleet::cli
