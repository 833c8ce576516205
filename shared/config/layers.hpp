#pragma once
// Private to shared/config: how the layers report mistakes and judge text.

#include "shared/base/result.hpp"
#include "shared/config/load.hpp"
#include "shared/config/option_set.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::config {

/// Mistakes of one load, capped: the first kComplaintsMax are kept, the rest are counted.
class Complaints {
 public:
  static constexpr std::size_t kComplaintsMax = 10;

  /// `where` is "FILE:LINE:COLUMN", a variable or a flag.
  void add(std::string_view where, std::string_view name, std::string_view wrong,
           std::string_view allowed = "");
  bool empty() const { return lines_.empty(); }
  /// One mistake per line.
  std::string text() const;

 private:
  std::vector<std::string> lines_;
  std::size_t left_out_{0};
};

/// What the command line says, not yet judged.
struct Flags {
  bool help{false};
  bool version{false};
  bool print_config{false};
  std::optional<std::string> config_file;
  struct Given {
    Option* option;
    std::string flag;
    std::vector<std::string> values;
  };
  std::vector<Given> given;
  std::vector<std::string> positionals;
};

/// Fails with a sentence about the first flag that cannot be understood.
Result<Flags, std::string> parse_flags(OptionSet& set, const std::vector<std::string>& arguments);

/// What a TOML file has set, and what is to be read once the other layers have been.
struct FileLayer {
  std::vector<std::string> names;  ///< In the order the options were bound.
  /// Reads the tables (OptionSet::tables). The set outlives this.
  std::function<void(Complaints&)> read_tables{[](Complaints&) {}};
};

/// Reads the sections of the TOML file into the fields.
FileLayer read_toml_file(OptionSet& set, const std::filesystem::path& file, Complaints& complaints);

/// Reads a file of named tables into what `begin` of them binds.
void read_named_tables(const NamedTables& tables, const std::filesystem::path& file,
                       Complaints& complaints);

/// Gives one option the text of a variable or a flag. Lists are split at commas.
void assign_text(Option& option, std::string_view text, const std::string& origin,
                 Complaints& complaints);

/// Judges and stores; `where` is for the complaint, `origin` for --print-config.
void assign_value(Option& option, const RawValue& value, std::string_view where,
                  const std::string& origin, Complaints& complaints);

/// Up to `bytes_max` bytes of a file, or what is wrong.
Result<std::string, std::string> read_file(const std::filesystem::path& file,
                                           std::size_t bytes_max);

/// The candidate that `word` most likely is a slip of; nothing when none is near.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);

/// `"text"` as a TOML basic string.
std::string toml_string(std::string_view text);

}  // namespace framefleet::config
