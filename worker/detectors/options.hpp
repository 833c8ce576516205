#pragma once
// Typed options of detectors: a table says name, unit, range and default once; parsing, messages,
// `--list-detectors` and docs/DETECTORS.md all come from it.
//
// Values: integers, real numbers, one of a list of words, a time with its unit ("20ms", "1.5s"),
// the name of a model (one of a list, or of the worker's model files, which are not known here), or
// any words with a plus between them.

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet::worker {

enum class OptionType : std::uint8_t { integer, real, choice, time, model, words };

struct OptionSpec {
  std::string_view name;
  OptionType type{OptionType::integer};
  std::string_view standard;  ///< The default, spelled as a user would.
  double min{0};              ///< Inclusive; seconds for a time.
  double max{0};
  std::string_view unit;                  ///< "px", "" …
  std::vector<std::string_view> choices;  ///< OptionType::choice and model only.
  std::string_view help;
};

/// "1 to 100 px", "alt2, alt or default", "0ms to 600s": for messages and documents.
std::string describe_range(const OptionSpec& spec);

/// Up to 64 letters, digits, underscores and hyphens.
bool is_model_name(std::string_view text);

/// What is said (usage) of a value that is not accepted.
Error not_accepted(std::string_view detector, const OptionSpec& spec, std::string_view text);

/// The values of one detector's options, every option of its table with exactly one value. The
/// getters require a name and a type that stand in the table.
class Options {
 public:
  /// `text` is what stands behind the question mark: "min_size=40&scale=1.1", or empty. Errors
  /// (usage) name the detector, the option, and what would be accepted.
  static Result<Options, Error> parse(std::string_view detector, std::span<const OptionSpec> specs,
                                      std::string_view text);

  std::int64_t integer(std::string_view name) const;
  double real(std::string_view name) const;
  std::string_view choice(std::string_view name) const;
  std::string_view model(std::string_view name) const;
  std::vector<std::string> words(std::string_view name) const;
  /// Said by the task, be it the default.
  bool given(std::string_view name) const;
  /// Of a choice between whole numbers.
  int number(std::string_view name) const;
  Duration time(std::string_view name) const;

 private:
  struct Value {
    std::string_view name;  ///< Points into the table.
    OptionType type{OptionType::integer};
    double number{0};
    std::string word;
    bool given{false};
  };

  static Result<Value, Error> read(std::string_view detector, const OptionSpec& spec,
                                   std::string_view text);
  const Value& find(std::string_view name, OptionType type) const;

  std::vector<Value> values_;
};

}  // namespace framefleet::worker
