#include "shared/config/load.hpp"

#include "shared/config/layers.hpp"
#include "shared/config/version.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <numeric>
#include <utility>

namespace framefleet::config {
namespace {

constexpr std::string_view kPrefix = "FRAMEFLEET_";
constexpr const char* kConfigVariable = "FRAMEFLEET_CONFIG";

template <class Number>
std::optional<RawValue> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    if (comma > 0) words.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return words;
}

std::optional<RawValue> raw_value(Kind kind, std::string_view text) {
  switch (kind) {
    case Kind::flag:
      if (text == "true" || text == "1") return true;
      if (text == "false" || text == "0") return false;
      return std::nullopt;
    case Kind::integer:
      return parse_number<std::int64_t>(text);
    case Kind::real:
      return parse_number<double>(text);
    case Kind::list:
      return split_at_commas(text);
    case Kind::text:
    case Kind::path:
    case Kind::duration:
    case Kind::bytes:
      return std::string(text);
  }
  return std::nullopt;
}

void apply_environment(OptionSet& set, const Environment& environment, Complaints& complaints) {
  for (Option& option : set.options()) {
    const auto found = environment.find(environment_name(option.section, option.key));
    if (found == environment.end() || found->second.empty()) continue;
    assign_text(option, found->second, found->first, complaints);
  }
}

/// Variables of one of our sections that name none of its keys. They are no error: a fleet's
/// processes often share one environment.
std::vector<std::string> unknown_variables(const OptionSet& set, const Environment& environment) {
  std::vector<std::string> known;
  for (const Option& option : set.options())
    known.push_back(environment_name(option.section, option.key));
  std::vector<std::string> warnings;
  for (const auto& variable : environment) {
    const std::string& name = variable.first;
    if (std::ranges::find(known, name) != known.end()) continue;
    const bool ours = std::ranges::any_of(set.sections(), [&](const auto& section) {
      return name.starts_with(environment_name(section.name, ""));
    });
    if (!ours) continue;
    const auto guess = nearest(name, known);
    warnings.push_back(fmt::format("{} matches no option of {}{}", name, set.program(),
                                   guess ? fmt::format(", did you mean {}?", *guess) : ""));
  }
  return warnings;
}

void apply_flags(const Flags& flags, Complaints& complaints) {
  for (const auto& [option, flag, values] : flags.given) {
    if (option->kind != Kind::list) {
      assign_text(*option, values.back(), flag, complaints);
    } else {
      assign_text(*option, fmt::format("{}", fmt::join(values, ",")), flag, complaints);
    }
  }
}

void apply_positionals(OptionSet& set, const std::vector<std::string>& words,
                       Complaints& complaints) {
  if (!set.positional()) return;
  const auto& [name, about, field] = *set.positional();
  if (!words.empty()) {
    *field = words;
    for (Option& option : set.options()) {
      if (option.field == field) option.origin = "arguments";
    }
  }
  if (field->size() < about.count_min || field->size() > about.count_max) {
    complaints.add(name, "arguments", fmt::format("{} given", field->size()),
                   about.count_max >= AboutPositional{}.count_max
                       ? fmt::format("{} or more", about.count_min)
                       : fmt::format("{} to {}", about.count_min, about.count_max));
  }
}

Outcome stop(int code, std::string err) {
  return {.exit_code = code, .out = {}, .err = std::move(err), .warnings = {}};
}

}  // namespace

void Complaints::add(std::string_view where, std::string_view name, std::string_view wrong,
                     std::string_view allowed) {
  if (lines_.size() == kComplaintsMax) {
    ++left_out_;
    return;
  }
  std::string line = fmt::format("{}: {}: {}", where, name, wrong);
  if (!allowed.empty()) line += fmt::format("; allowed: {}", allowed);
  // A URL may stand where a key or a word was to be.
  lines_.push_back(Scrubber{}.scrubbed(line));
}

std::string Complaints::text() const {
  std::string text = fmt::format("{}", fmt::join(lines_, "\n"));
  if (left_out_ > 0) text += fmt::format("\nand {} more", left_out_);
  return text + "\n";
}

void assign_value(Option& option, const RawValue& value, std::string_view where,
                  const std::string& origin, Complaints& complaints) {
  if (const auto wrong = option.assign(value)) {
    complaints.add(where, option.name(), *wrong, option.allowed);
    return;
  }
  option.origin = origin;
  if (option.secret) option.secret_reference = std::get<std::string>(value);
}

void assign_text(Option& option, std::string_view text, const std::string& origin,
                 Complaints& complaints) {
  if (const auto value = raw_value(option.kind, text)) {
    assign_value(option, *value, origin, origin, complaints);
  } else {
    complaints.add(origin, option.name(), fmt::format("\"{}\" cannot be understood", text),
                   option.allowed);
  }
}

std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates) {
  constexpr std::size_t kLengthMax = 128;
  if (word.size() > kLengthMax) return std::nullopt;
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    // Edit distance, one row at a time.
    std::vector<std::size_t> row(candidate.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < word.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i + 1);
      for (std::size_t j = 0; j < candidate.size(); ++j) {
        const std::size_t replace = diagonal + (word[i] == candidate[j] ? 0U : 1U);
        diagonal = row[j + 1];
        row[j + 1] = std::min({replace, row[j] + 1, diagonal + 1});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

Environment process_environment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (text.starts_with(kPrefix) && equals != std::string_view::npos) {
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return environment;
}

std::vector<std::string> environment_for_children() {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (text.substr(0, text.find('=')) != kConfigVariable) variables.emplace_back(text);
  }
  return variables;
}

Outcome load(OptionSet& set, const std::vector<std::string>& arguments,
             const Environment& environment) {
  const auto flags = parse_flags(set, arguments);
  if (!flags) {
    return stop(exit_code::kUsage,
                fmt::format("{}\nTry: {} --help\n", flags.error(), set.program()));
  }
  if (flags->help) return {.exit_code = 0, .out = help_text(set), .err = {}, .warnings = {}};
  if (flags->version) {
    return {.exit_code = 0,
            .out = fmt::format("{} {} ({})\n", set.program(), version(), build()),
            .err = {},
            .warnings = {}};
  }

  Complaints config_complaints;
  const auto named = environment.find(kConfigVariable);
  FileLayer file;
  if (flags->config_file) {
    file = read_toml_file(set, *flags->config_file, config_complaints);
  } else if (named != environment.end() && !named->second.empty()) {
    file = read_toml_file(set, named->second, config_complaints);
  }
  apply_environment(set, environment, config_complaints);
  Complaints flag_complaints;
  apply_flags(*flags, flag_complaints);
  apply_positionals(set, flags->positionals, flag_complaints);
  file.read_tables(config_complaints);
  if (config_complaints.empty() && flag_complaints.empty()) {
    for (const auto& judge : set.checks()) {
      if (const auto wrong = judge()) config_complaints.add(set.program(), "options", *wrong);
    }
  }
  if (!config_complaints.empty()) {
    return stop(exit_code::kConfig,
                config_complaints.text() + (flag_complaints.empty() ? "" : flag_complaints.text()));
  }
  if (!flag_complaints.empty()) return stop(exit_code::kUsage, flag_complaints.text());

  Outcome outcome;
  outcome.warnings = unknown_variables(set, environment);
  if (flags->print_config) {
    outcome.exit_code = 0;
    outcome.out = effective_toml(set);
    for (const auto& warning : outcome.warnings) outcome.err += warning + "\n";
  }
  return outcome;
}

Outcome load(OptionSet& set, int argc, const char* const* argv, const Environment& environment) {
  return load(set, std::vector<std::string>(argv + std::min(argc, 1), argv + argc), environment);
}

void print(const Outcome& outcome) {
  std::fwrite(outcome.out.data(), 1, outcome.out.size(), stdout);
  std::fflush(stdout);
  std::fwrite(outcome.err.data(), 1, outcome.err.size(), stderr);
}

Result<std::vector<std::string>, Error> parse_file_into(OptionSet& set,
                                                        const std::filesystem::path& file) {
  Complaints complaints;
  auto layer = read_toml_file(set, file, complaints);
  layer.read_tables(complaints);
  if (!complaints.empty()) return fail(Error{complaints.text(), exit_code::kConfig});
  return std::move(layer.names);
}

Result<void, Error> parse_named_tables(const NamedTables& tables,
                                       const std::filesystem::path& file) {
  Complaints complaints;
  read_named_tables(tables, file, complaints);
  if (!complaints.empty()) return fail(Error{complaints.text(), exit_code::kConfig});
  return {};
}

}  // namespace framefleet::config
