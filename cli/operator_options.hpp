#pragma once
// What every verb that operates a running fleet can be told, and how such a verb is read from its
// command line.

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/security/keys.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace framefleet::config {
class OptionSet;
}

namespace framefleet::cli {

struct OperatorOptions {
  /// Address of the broker. Operating is permitted over ipc, to the broker's own user and root, and
  /// over tcp to keys with that role.
  std::string connect{"ipc:///run/framefleet/broker.sock"};
  security::KeyFiles keys{};
  /// Output folder of a `framefleet run`, whose broker is meant then; "": none.
  std::filesystem::path run;
  /// How long to wait for the broker, and for each answer of it.
  Duration timeout{std::chrono::seconds(10)};
};

/// Binds the section [operator]. Requires: `options` outlives `set`.
void describe(config::OptionSet& set, OperatorOptions& options);

/// The epilog of these verbs: `more`, then the exit codes that they have in common.
std::string operator_epilog(const std::string& more = "");

/// Whether what cannot be undone may be done: `yes` was given, or a person at the terminal says so.
/// Error: 64 when there is no terminal to ask at; 0 is never one: a "no" is the answer false.
Result<bool, Error> confirm(const std::string& question, bool yes);

/// Loads the options from the words behind the verb and runs `act`, which answers the exit code or
/// an error to tell and end with. Answers the exit code. `verb_words`: "framefleet dead list"
/// has 2.
int run_verb(config::OptionSet& set, const std::vector<std::string>& words,
             const std::function<Result<int, Error>()>& act, std::size_t verb_words = 1);

}  // namespace framefleet::cli
