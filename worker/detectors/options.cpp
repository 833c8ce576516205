#include "worker/detectors/options.hpp"

#include "shared/base/assert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace framefleet::worker {
namespace {

/// Integers up to here are exact as doubles; sequences of test options are the largest.
constexpr double kExactMax = 9007199254740992.0;

Error usage(std::string text) { return Error{std::move(text), exit_code::kUsage}; }

std::optional<double> read_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<double> read_seconds(std::string_view text) {
  double scale = 1;
  std::size_t unit = 1;
  if (text.ends_with("ms")) {
    scale = 1e-3;
    unit = 2;
  } else if (!text.ends_with("s")) {
    return std::nullopt;
  }
  const auto number = read_number(text.substr(0, text.size() - unit));
  if (!number) return std::nullopt;
  return *number * scale;
}

std::optional<double> read_value(const OptionSpec& spec, std::string_view text) {
  const auto number = spec.type == OptionType::time ? read_seconds(text) : read_number(text);
  if (!number || *number < spec.min || *number > spec.max) return std::nullopt;
  if (spec.type == OptionType::integer &&
      (*number != std::floor(*number) || std::abs(*number) > kExactMax)) {
    return std::nullopt;
  }
  return number;
}

std::string join(const std::vector<std::string_view>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

}  // namespace

std::string describe_range(const OptionSpec& spec) {
  switch (spec.type) {
    case OptionType::choice:
      return join(spec.choices);
    case OptionType::model:
      return join(spec.choices) + ", or a model of the worker's (--models)";
    case OptionType::time:
      return fmt::format("{}s to {}s", spec.min, spec.max);
    case OptionType::words:
      return "words with + between them";
    case OptionType::integer:
    case OptionType::real:
      break;
  }
  return fmt::format("{} to {}{}{}", spec.min, spec.max, spec.unit.empty() ? "" : " ", spec.unit);
}

bool is_model_name(std::string_view text) {
  constexpr std::size_t kLengthMax = 64;
  return !text.empty() && text.size() <= kLengthMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
         });
}

Error not_accepted(std::string_view detector, const OptionSpec& spec, std::string_view text) {
  const std::string_view kind = spec.type == OptionType::integer ? "a whole number, " : "";
  return usage(fmt::format("detector \"{}\": option {}={} is not accepted; it takes {}{}", detector,
                           spec.name, text, kind, describe_range(spec)));
}

Result<Options::Value, Error> Options::read(std::string_view detector, const OptionSpec& spec,
                                            std::string_view text) {
  Value value{spec.name, spec.type, 0, {}, false};
  if (spec.type == OptionType::choice) {
    const auto found = std::find(spec.choices.begin(), spec.choices.end(), text);
    if (found != spec.choices.end()) {
      value.word = *found;
      return value;
    }
  } else if (spec.type == OptionType::model) {
    if (is_model_name(text)) {
      value.word = text;
      return value;
    }
  } else if (spec.type == OptionType::words) {
    if (!text.empty() && !text.starts_with('+') && !text.ends_with('+')) {
      value.word = text;
      return value;
    }
  } else if (const auto number = read_value(spec, text)) {
    value.number = *number;
    return value;
  }
  return fail(not_accepted(detector, spec, text));
}

Result<Options, Error> Options::parse(std::string_view detector, std::span<const OptionSpec> specs,
                                      std::string_view text) {
  Options options;
  for (const auto& spec : specs) {
    const auto value = read(detector, spec, spec.standard);
    FRAMEFLEET_ASSERT(value.has_value());
    options.values_.push_back(*value);
  }
  std::vector<std::string_view> seen;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    const std::string_view name = pair.substr(0, equals);
    const auto spec = std::find_if(specs.begin(), specs.end(),
                                   [&](const OptionSpec& each) { return each.name == name; });
    if (spec == specs.end()) {
      std::vector<std::string_view> names;
      for (const auto& each : specs) names.push_back(each.name);
      return fail(usage(fmt::format("detector \"{}\" has no option \"{}\"; it has {}", detector,
                                    name, names.empty() ? "none" : join(names))));
    }
    if (equals == std::string_view::npos) {
      return fail(usage(fmt::format("detector \"{}\": option {} has no value; write {}={}",
                                    detector, name, name, spec->standard)));
    }
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      return fail(usage(fmt::format("detector \"{}\": option {} is given twice", detector, name)));
    }
    seen.push_back(spec->name);
    const auto value = read(detector, *spec, pair.substr(equals + 1));
    if (!value) return fail(value.error());
    auto& own = options.values_[static_cast<std::size_t>(spec - specs.begin())];
    own = *value;
    own.given = true;
  }
  return options;
}

const Options::Value& Options::find(std::string_view name, OptionType type) const {
  const auto found = std::find_if(values_.begin(), values_.end(),
                                  [&](const Value& value) { return value.name == name; });
  FRAMEFLEET_ASSERT(found != values_.end() && found->type == type);
  return *found;
}

std::int64_t Options::integer(std::string_view name) const {
  return static_cast<std::int64_t>(find(name, OptionType::integer).number);
}

double Options::real(std::string_view name) const { return find(name, OptionType::real).number; }

std::string_view Options::choice(std::string_view name) const {
  return find(name, OptionType::choice).word;
}

std::string_view Options::model(std::string_view name) const {
  return find(name, OptionType::model).word;
}

std::vector<std::string> Options::words(std::string_view name) const {
  std::vector<std::string> words;
  std::string_view rest = find(name, OptionType::words).word;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find('+'));
    if (!word.empty()) words.emplace_back(word);
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  }
  return words;
}

bool Options::given(std::string_view name) const {
  return std::any_of(values_.begin(), values_.end(),
                     [&](const Value& value) { return value.name == name && value.given; });
}

int Options::number(std::string_view name) const {
  const auto value = read_number(choice(name));
  FRAMEFLEET_ASSERT(value.has_value());
  return static_cast<int>(*value);
}

Duration Options::time(std::string_view name) const {
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(find(name, OptionType::time).number));
}

}  // namespace framefleet::worker
