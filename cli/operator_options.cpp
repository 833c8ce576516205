#include "cli/operator_options.hpp"

#include "shared/access/key_options.hpp"
#include "shared/config/load.hpp"
#include "shared/config/option_set.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace framefleet::cli {

void describe(config::OptionSet& set, OperatorOptions& options) {
  auto section = set.section("operator");
  section.add(
      "connect", options.connect,
      {.help = "Address of the broker: ipc:///PATH, where it obeys its own user and root, or "
               "tcp://HOST:PORT with a key that may operate."});
  access::add_key_options(section, options.keys);
  section
      .add("run", options.run,
           {.help = "Output folder of a framefleet run that is under way: its broker is asked."})
      .add("timeout", options.timeout,
           {.help = "How long to wait for the broker, and for each of its answers.",
            .min = std::chrono::milliseconds(10),
            .max = std::chrono::hours(1)});
}

std::string operator_epilog(const std::string& more) {
  return more +
         "Exit codes: 0 done; 64 usage; 66 there is nothing of this name; 69 the broker is not "
         "reached, does not answer, does not permit it, or has no sink; 70 internal; 78 "
         "configuration.\n";
}

Result<bool, Error> confirm(const std::string& question, bool yes) {
  if (yes) return true;
  if (::isatty(STDIN_FILENO) != 1) {
    return fail(Error{question + " Nobody is there to say so: give --yes", exit_code::kUsage});
  }
  fmt::print(stderr, "{} [y/N] ", question);
  std::string line;
  std::getline(std::cin, line);
  return line == "y" || line == "Y" || line == "yes";
}

int run_verb(config::OptionSet& set, const std::vector<std::string>& words,
             const std::function<Result<int, Error>()>& act, std::size_t verb_words) {
  const std::size_t skipped = std::min(1 + verb_words, words.size());
  const config::Outcome outcome =
      config::load(set, {words.begin() + static_cast<std::ptrdiff_t>(skipped), words.end()});
  config::print(outcome);
  if (!outcome.run()) return *outcome.exit_code;
  for (const std::string& warning : outcome.warnings) {
    fmt::print(stderr, "{}: {}\n", set.program(), warning);
  }
  const auto ended = act();
  if (ended) return *ended;
  fmt::print(stderr, "{}: {}\n", set.program(), ended.error().text);
  return ended.error().exit_code;
}

}  // namespace framefleet::cli
