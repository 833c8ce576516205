#pragma once
// The options of one program: each is bound once to a field of a plain struct, and from that
// binding come the TOML key, the environment variable, the flag, the range check, --help and
// --print-config.
//
//   config::OptionSet set{"framefleet-broker", "Takes tasks in and hands them to workers."};
//   set.section("broker", "What the broker holds.")
//       .add("backlog_bytes_max", options.backlog_bytes_max,
//            {.help = "Payload bytes of ready and delayed tasks.", .min = mib(1), .max = gib(64)})
//       .add("peer_timeout", options.peer_timeout, {.help = "Silence after which a peer is
//       gone."});
//
// Invariants: the value a field has when it is bound is its default; section and key are snake_case
// and unique together; a bound field outlives the set. A broken one is our bug and asserts.
// Threads: one, before the loop starts.

#include "shared/base/secret.hpp"
#include "shared/base/time.hpp"
#include "shared/config/about.hpp"
#include "shared/config/values.hpp"

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace framefleet::config {

enum class Kind : std::uint8_t { flag, integer, real, text, list, duration, bytes, path };

/// A value as a layer spells it, before the option has judged it.
using RawValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

struct Option {
  std::string section;
  std::string key;
  std::string help;
  Kind kind{Kind::text};
  std::string range;    ///< "from 1 to 64", "a, b, c", or "" where everything is allowed.
  std::string allowed;  ///< The same with the kind, for errors: "an integer from 1 to 64".
  bool secret{false};
  const void* field{nullptr};  ///< Identity of the bound field.
  /// Checks and stores; answers what is wrong, or nothing.
  std::function<std::optional<std::string>(const RawValue&)> assign;
  std::function<std::string()> as_toml;  ///< The present value.
  std::string default_toml;
  std::string origin{"default"};  ///< "default", "FILE:LINE", the variable's name or the flag.
  std::string secret_reference;   ///< `${file:…}` as it was given.

  std::string name() const { return section + "." + key; }
};

/// Flags are the key alone ("--backlog-bytes-max"), or always "--section-key" where the key would
/// say too little ("--log-level"). A key that stands in two sections of the first kind always has
/// its section in the flag.
enum class FlagStyle : std::uint8_t { key, section_and_key };

class OptionSet;

class Section {
 public:
  Section& add(std::string key, bool& field, AboutFlag about);
  Section& add(std::string key, double& field, AboutNumber<double> about);
  Section& add(std::string key, Duration& field, AboutDuration about);
  Section& add(std::string key, Bytes& field, AboutBytes about);
  Section& add(std::string key, SizeOf field, AboutBytes about);
  Section& add(std::string key, std::string& field, AboutText about);
  /// A text, shown redacted, that may be or hold `${file:/path}`. What a file gives to a part of a
  /// text is percent-encoded: such texts are URLs.
  Section& add(std::string key, Secret& field, AboutSecret about);
  Section& add(std::string key, std::vector<std::string>& field, AboutList about);
  Section& add(std::string key, std::filesystem::path& field, AboutPath about);

  template <std::integral T>
  Section& add(const std::string& key, T& field, AboutNumber<std::type_identity_t<T>> about) {
    constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
    const auto clamp = [](T n) { return std::cmp_greater(n, kMax) ? kMax : std::int64_t(n); };
    return add_integer(
        key, std::move(about.help), &field, {clamp(about.min), clamp(about.max)},
        [&field, clamp] { return clamp(field); },
        [&field](std::int64_t n) { field = static_cast<T>(n); });
  }

  /// An enumeration by its words.
  template <class E>
  requires std::is_enum_v<E> Section& add(const std::string& key, E& field,
                                          AboutChoice<std::type_identity_t<E>> about) {
    std::vector<std::string> words;
    for (const auto& [word, value] : about.words) words.push_back(word);
    const auto table = about.words;
    return add_choice(
        key, std::move(about.help), &field, std::move(words),
        [&field, table] {
          for (const auto& [word, value] : table) {
            if (value == field) return word;
          }
          return std::string{};
        },
        [&field, table](const std::string& chosen) {
          for (const auto& [word, value] : table) {
            if (word == chosen) field = value;
          }
        });
  }

 private:
  friend class OptionSet;
  struct IntegerRange {
    std::int64_t min;
    std::int64_t max;
  };
  Section(OptionSet& set, std::string name) : set_(&set), name_(std::move(name)) {}

  Section& add_integer(std::string key, std::string help, const void* field, IntegerRange range,
                       std::function<std::int64_t()> get, std::function<void(std::int64_t)> put);
  Section& add_choice(std::string key, std::string help, const void* field,
                      std::vector<std::string> words, std::function<std::string()> get,
                      std::function<void(const std::string&)> put);
  Section& bind(Option option);

  OptionSet* set_;
  std::string name_;
};

class OptionSet {
 public:
  /// `program` is what --help calls it ("framefleet run"), `summary` one sentence.
  OptionSet(std::string program, std::string summary);
  OptionSet(const OptionSet&) = delete;
  OptionSet& operator=(const OptionSet&) = delete;

  /// Opens a section, or goes on with one that is open.
  Section section(std::string name, std::string help = "", FlagStyle style = FlagStyle::key);
  /// The arguments that are no flags. At most one per program; if the same field is also an option
  /// (a TOML key), arguments replace what file and environment said.
  void positional(std::string name, std::vector<std::string>& field, AboutPositional about);
  /// `[[name]]`: tables of the file, each with the same keys. For each, in order and when all
  /// layers of the sections have been read, `begin` answers the set of its options: one section of
  /// this name, and checks of it alone.
  void tables(std::string name, std::string help, std::size_t count_max,
              std::function<std::unique_ptr<OptionSet>()> begin);
  /// Printed at the end of --help: signals, exit codes.
  void epilog(std::string text) { epilog_ = std::move(text); }
  /// Judges the values together, after every layer; answers what is wrong, or nothing.
  void check(std::function<std::optional<std::string>()> judge);

  struct SectionText {
    std::string name;
    std::string help;
    FlagStyle style;
  };
  struct Positional {
    std::string name;
    AboutPositional about;
    std::vector<std::string>* field;
  };
  struct Tables {
    std::string name;
    std::string help;
    std::size_t count_max;
    std::function<std::unique_ptr<OptionSet>()> begin;
    std::vector<std::unique_ptr<OptionSet>> entries;  ///< As they were read.
  };

  const std::string& program() const { return program_; }
  const std::string& summary() const { return summary_; }
  const std::string& epilog() const { return epilog_; }
  const std::vector<SectionText>& sections() const { return sections_; }
  const std::vector<Option>& options() const { return options_; }
  std::vector<Option>& options() { return options_; }
  const std::optional<Positional>& positional() const { return positional_; }
  const std::vector<std::function<std::optional<std::string>()>>& checks() const { return checks_; }
  const std::vector<Tables>& tables() const { return tables_; }
  std::vector<Tables>& tables() { return tables_; }

  Option* find(std::string_view section, std::string_view key);
  const SectionText* find_section(std::string_view name) const;
  /// "--backlog-bytes-max"
  std::string flag_of(const Option& option) const;

 private:
  friend class Section;

  std::string program_;
  std::string summary_;
  std::string epilog_;
  std::vector<SectionText> sections_;  ///< In the order of --help.
  std::vector<Option> options_;        ///< In the order they were bound.
  std::optional<Positional> positional_;
  std::vector<std::function<std::optional<std::string>()>> checks_;
  std::vector<Tables> tables_;
};

/// "FRAMEFLEET_BROKER_BACKLOG_BYTES_MAX"
std::string environment_name(std::string_view section, std::string_view key);

}  // namespace framefleet::config
