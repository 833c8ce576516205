#pragma once
// Fills the fields of an OptionSet from its layers, each over the one before:
//
//   defaults → TOML file (--config FILE or FRAMEFLEET_CONFIG) → FRAMEFLEET_<SECTION>_<KEY> → flags
//
// and answers --help, --version and --print-config. Every mistake is told as
// `FILE:LINE:COLUMN: section.key: what is wrong; allowed: …` (without a file: the variable's or
// flag's name), up to 10 of them at once. Nothing here prints or exits. Threads: one. Fields hold a
// mixture of layers when an error is answered; do not run with it.

#include "shared/base/result.hpp"
#include "shared/config/option_set.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::config {

/// Environment variables by name. An empty one counts as not set (what compose files make of
/// `${X:-}`).
using Environment = std::map<std::string, std::string>;

/// The FRAMEFLEET_ variables of this process.
Environment process_environment();
/// All of this process's, as "NAME=value", but the file that it is configured by itself: what a
/// child that has a configuration of its own is given.
std::vector<std::string> environment_for_children();

/// What the program is to do after its options were read.
struct Outcome {
  std::optional<int>
      exit_code;    ///< Nothing: run. Else end with it: 0, 64 (flags) or 78 (file, variables).
  std::string out;  ///< For stdout.
  std::string err;  ///< For stderr.
  std::vector<std::string> warnings;  ///< For the log: variables that match no option.

  bool run() const { return !exit_code.has_value(); }
};

/// `arguments` are those after the program's name (for a subcommand: after its name).
Outcome load(OptionSet& set, const std::vector<std::string>& arguments,
             const Environment& environment = process_environment());
Outcome load(OptionSet& set, int argc, const char* const* argv,
             const Environment& environment = process_environment());

/// Writes `out` and `err` to where they belong.
void print(const Outcome& outcome);

/// The layer of one file alone: the names ("section.key") it sets, sorted as the set has them, or
/// every mistake (exit code 78).
Result<std::vector<std::string>, Error> parse_file_into(OptionSet& set,
                                                        const std::filesystem::path& file);

/// A file that is nothing but tables, all with the same keys, each under a name of its own
/// (`[front-door]`).
struct NamedTables {
  std::size_t count_max;
  /// The set of the options of the next one: a section of any name, and checks; or what is wrong
  /// with the name.
  std::function<Result<std::unique_ptr<OptionSet>, std::string>(const std::string& name)> begin;
};
/// Reads them in the order of the file, or answers every mistake (exit code 78).
Result<void, Error> parse_named_tables(const NamedTables& tables,
                                       const std::filesystem::path& file);

/// The effective values as TOML, each with its origin; secrets as *** beside their `${file:…}`.
/// Reading it back gives the same values.
std::string effective_toml(const OptionSet& set);

/// Every option at its default with its help and what is allowed: the text of `*.example.toml`.
std::string example_toml(const OptionSet& set);

std::string help_text(const OptionSet& set);

/// One option as it is now, for the log. Secrets as "***".
struct Effective {
  std::string name;   ///< "section.key"
  std::string value;  ///< As TOML spells it, a text without its quotes.
  std::string origin;
};
std::vector<Effective> effective_values(const OptionSet& set);

}  // namespace framefleet::config
