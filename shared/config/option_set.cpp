#include "shared/config/option_set.hpp"

#include "shared/base/assert.hpp"
#include "shared/config/layers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace framefleet::config {
namespace {

bool is_snake_case(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// "from A to B", "from A", "up to B" or "": bounds that bound nothing stay unsaid.
template <class T, class Text>
std::string range_text(T min, T lowest, T max, T highest, Text text) {
  if (min > lowest && max < highest) return fmt::format("from {} to {}", text(min), text(max));
  if (min > lowest) return fmt::format("from {}", text(min));
  if (max < highest) return fmt::format("up to {}", text(max));
  return "";
}

std::string allowed_text(std::string_view kind, const std::string& range) {
  return range.empty() ? std::string(kind) : fmt::format("{} {}", kind, range);
}

std::string words_allowed(const std::vector<std::string>& choices) {
  return fmt::format("{}", fmt::join(choices, ", "));
}

bool is_chosen(const std::vector<std::string>& choices, const std::string& word) {
  return choices.empty() || std::ranges::find(choices, word) != choices.end();
}

std::string out_of_range(std::string_view value) {
  return fmt::format("{} is out of range", value);
}

std::string real_text(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

constexpr std::string_view kReferenceStart = "${file:";

/// The path inside `${file:PATH}`.
std::optional<std::string> reference_path(std::string_view text) {
  if (!text.starts_with(kReferenceStart) || !text.ends_with('}')) return std::nullopt;
  text.remove_prefix(kReferenceStart.size());
  text.remove_suffix(1);
  if (text.empty()) return std::nullopt;
  return std::string(text);
}

/// What a file says, without the end of its line.
Result<std::string, std::string> read_secret(const std::string& path) {
  constexpr std::size_t kSecretBytesMax = 65'536;
  auto content = read_file(path, kSecretBytesMax);
  if (!content) return fail(fmt::format("{}: {}", path, content.error()));
  while (content->ends_with('\n') || content->ends_with('\r')) content->pop_back();
  if (content->empty()) return fail(fmt::format("{}: the file is empty", path));
  return content;
}

std::optional<std::string> assign_secret(std::string& field, const std::string& text) {
  if (text.empty()) {
    field.clear();
    return std::nullopt;
  }
  const auto path = reference_path(text);
  if (!path) return "a secret is not written here but kept in a file";
  auto content = read_secret(*path);
  if (!content) return content.error();
  field = std::move(*content);
  return std::nullopt;
}

/// Plain text from a file in a URL, where it may be the user and the password in one.
std::string as_part_of_url(std::string_view text, bool begins_authority) {
  const auto colon = text.find(':');
  if (!begins_authority || colon == std::string_view::npos) return percent_encoded(text);
  return percent_encoded(text.substr(0, colon)) + ":" + percent_encoded(text.substr(colon + 1));
}

/// Every `${file:PATH}` in it replaced. What is wrong is told without the text.
std::optional<std::string> assign_secret(Secret& field, std::string_view text) {
  std::string whole;
  std::vector<std::string> parts;
  const bool is_one_file = reference_path(text) && text.find('}') == text.size() - 1;
  while (!text.empty()) {
    const auto start = std::min(text.find(kReferenceStart), text.size());
    whole += text.substr(0, start);
    text.remove_prefix(start);
    if (text.empty()) break;
    const auto end = text.find('}');
    if (end == std::string_view::npos) return "a ${file:PATH} lacks its }";
    const auto path = reference_path(text.substr(0, end + 1));
    if (!path) return "a ${file:PATH} names no file";
    const auto content = read_secret(*path);
    if (!content) return content.error();
    parts.push_back(is_one_file ? *content : as_part_of_url(*content, whole.ends_with("://")));
    whole += parts.back();
    text.remove_prefix(end + 1);
  }
  field = Secret{std::move(whole), std::move(parts)};
  return std::nullopt;
}

}  // namespace

Section& Section::bind(Option option) {
  FRAMEFLEET_ASSERT(is_snake_case(option.key));
  FRAMEFLEET_ASSERT(option.key != "help" && option.key != "version" && option.key != "config" &&
                    option.key != "print_config");
  FRAMEFLEET_ASSERT(set_->find(name_, option.key) == nullptr);
  option.section = name_;
  option.default_toml = option.as_toml();
  set_->options_.push_back(std::move(option));
  return *this;
}

Section& Section::add(std::string key, bool& field, AboutFlag about) {
  Option option;
  option.key = std::move(key);
  option.help = std::move(about.help);
  option.kind = Kind::flag;
  option.allowed = "true or false";
  option.field = &field;
  option.assign = [&field](const RawValue& value) -> std::optional<std::string> {
    field = std::get<bool>(value);
    return std::nullopt;
  };
  option.as_toml = [&field] { return std::string(field ? "true" : "false"); };
  return bind(std::move(option));
}

Section& Section::add_integer(std::string key, std::string help, const void* field,
                              IntegerRange range, std::function<std::int64_t()> get,
                              std::function<void(std::int64_t)> put) {
  using Limits = std::numeric_limits<std::int64_t>;
  const auto text = [](std::int64_t n) { return fmt::format("{}", n); };
  Option option;
  option.key = std::move(key);
  option.help = std::move(help);
  option.kind = Kind::integer;
  option.range = range_text(range.min, Limits::min(), range.max, Limits::max(), text);
  option.allowed = allowed_text("an integer", option.range);
  option.field = field;
  option.assign = [range,
                   put = std::move(put)](const RawValue& value) -> std::optional<std::string> {
    const auto n = std::get<std::int64_t>(value);
    if (n < range.min || n > range.max) return out_of_range(fmt::format("{}", n));
    put(n);
    return std::nullopt;
  };
  option.as_toml = [get = std::move(get)] { return fmt::format("{}", get()); };
  return bind(std::move(option));
}

Section& Section::add(std::string key, double& field, AboutNumber<double> about) {
  using Limits = std::numeric_limits<double>;
  Option option;
  option.key = std::move(key);
  option.help = std::move(about.help);
  option.kind = Kind::real;
  option.range = range_text(about.min, Limits::lowest(), about.max, Limits::max(), real_text);
  option.allowed = allowed_text("a number", option.range);
  option.field = &field;
  option.assign = [&field, min = about.min,
                   max = about.max](const RawValue& value) -> std::optional<std::string> {
    const auto number = std::get<double>(value);
    if (!std::isfinite(number) || number < min || number > max) {
      return out_of_range(fmt::format("{}", number));
    }
    field = number;
    return std::nullopt;
  };
  option.as_toml = [&field] { return real_text(field); };
  return bind(std::move(option));
}

Section& Section::add(std::string key, Duration& field, AboutDuration about) {
  Option option;
  option.key = std::move(key);
  option.help = std::move(about.help);
  option.kind = Kind::duration;
  option.range = range_text(about.min, Duration{0}, about.max, Duration::max(), duration_text);
  option.allowed = allowed_text(fmt::format("a duration ({})", kDurationUnits), option.range);
  option.field = &field;
  option.assign = [&field, min = about.min,
                   max = about.max](const RawValue& value) -> std::optional<std::string> {
    const auto& text = std::get<std::string>(value);
    const auto parsed = parse_duration(text);
    if (!parsed) return parsed.error();
    if (*parsed < min || *parsed > max) return out_of_range(text);
    field = *parsed;
    return std::nullopt;
  };
  option.as_toml = [&field] { return toml_string(duration_text(field)); };
  return bind(std::move(option));
}

Section& Section::add(std::string key, SizeOf field, AboutBytes about) {
  std::uint64_t& count = field.count;
  Option option;
  option.key = std::move(key);
  option.help = std::move(about.help);
  option.kind = Kind::bytes;
  option.range = range_text(about.min, Bytes{}, about.max, kBytesMax, bytes_text);
  option.allowed = allowed_text(fmt::format("a size ({})", kByteUnits), option.range);
  option.field = &count;
  option.assign = [&count, min = about.min,
                   max = about.max](const RawValue& value) -> std::optional<std::string> {
    const auto& text = std::get<std::string>(value);
    const auto parsed = parse_bytes(text);
    if (!parsed) return parsed.error();
    if (*parsed < min || *parsed > max) return out_of_range(text);
    count = parsed->count;
    return std::nullopt;
  };
  option.as_toml = [&count] { return toml_string(bytes_text(Bytes{count})); };
  return bind(std::move(option));
}

Section& Section::add(std::string key, Bytes& field, AboutBytes about) {
  return add(std::move(key), SizeOf{field.count}, std::move(about));
}

Section& Section::add(std::string key, std::string& field, AboutText about) {
  if (!about.secret && !about.choices.empty()) {
    return add_choice(
        std::move(key), std::move(about.help), &field, std::move(about.choices),
        [&field] { return field; }, [&field](const std::string& word) { field = word; });
  }
  FRAMEFLEET_ASSERT(!about.secret || field.empty());
  Option option;
  option.key = std::move(key);
  option.help = std::move(about.help);
  option.kind = Kind::text;
  option.secret = about.secret;
  option.allowed = about.secret ? "${file:/path/of/a/file} that holds the secret, or \"\"" : "text";
  option.field = &field;
  option.assign = [&field,
                   secret = about.secret](const RawValue& value) -> std::optional<std::string> {
    const auto& text = std::get<std::string>(value);
    if (secret) return assign_secret(field, text);
    if (text.starts_with(kReferenceStart)) return "only secrets are read from files";
    field = text;
    return std::nullopt;
  };
  option.as_toml = [&field, secret = about.secret] {
    return secret && !field.empty() ? std::string("\"***\"") : toml_string(field);
  };
  return bind(std::move(option));
}

Section& Section::add(std::string key, Secret& field, AboutSecret about) {
  Option option;
  option.key = std::move(key);
  option.help = std::move(about.help);
  option.kind = Kind::text;
  option.allowed = "text that may be or hold ${file:/path/of/a/file}";
  option.field = &field;
  option.assign = [&field](const RawValue& value) {
    return assign_secret(field, std::get<std::string>(value));
  };
  option.as_toml = [&field] { return toml_string(field.redacted()); };
  return bind(std::move(option));
}

Section& Section::add_choice(std::string key, std::string help, const void* field,
                             std::vector<std::string> words, std::function<std::string()> get,
                             std::function<void(const std::string&)> put) {
  FRAMEFLEET_ASSERT(is_chosen(words, get()));
  Option option;
  option.key = std::move(key);
  option.help = std::move(help);
  option.kind = Kind::text;
  option.range = words_allowed(words);
  option.allowed = option.range;
  option.field = field;
  option.assign = [words = std::move(words),
                   put = std::move(put)](const RawValue& value) -> std::optional<std::string> {
    const auto& word = std::get<std::string>(value);
    if (!is_chosen(words, word)) return fmt::format("\"{}\" is not one of the words", word);
    put(word);
    return std::nullopt;
  };
  option.as_toml = [get = std::move(get)] { return toml_string(get()); };
  return bind(std::move(option));
}

Section& Section::add(std::string key, std::vector<std::string>& field, AboutList about) {
  Option option;
  option.key = std::move(key);
  option.help = std::move(about.help);
  option.kind = Kind::list;
  option.range = words_allowed(about.choices);
  option.allowed = "a list of " + (option.range.empty() ? "text" : option.range);
  option.field = &field;
  option.assign = [&field, choices = std::move(about.choices)](
                      const RawValue& value) -> std::optional<std::string> {
    const auto& words = std::get<std::vector<std::string>>(value);
    for (const auto& word : words) {
      if (!is_chosen(choices, word)) return fmt::format("\"{}\" is not one of the words", word);
    }
    field = words;
    return std::nullopt;
  };
  option.as_toml = [&field] {
    std::vector<std::string> quoted;
    quoted.reserve(field.size());
    for (const auto& word : field) quoted.push_back(toml_string(word));
    return fmt::format("[{}]", fmt::join(quoted, ", "));
  };
  return bind(std::move(option));
}

Section& Section::add(std::string key, std::filesystem::path& field, AboutPath about) {
  Option option;
  option.key = std::move(key);
  option.help = std::move(about.help);
  option.kind = Kind::path;
  option.allowed = "a path";
  option.field = &field;
  option.assign = [&field](const RawValue& value) -> std::optional<std::string> {
    const auto& text = std::get<std::string>(value);
    if (text.starts_with(kReferenceStart)) return "only secrets are read from files";
    field = text;
    return std::nullopt;
  };
  option.as_toml = [&field] { return toml_string(field.string()); };
  return bind(std::move(option));
}

void OptionSet::tables(std::string name, std::string help, std::size_t count_max,
                       std::function<std::unique_ptr<OptionSet>()> begin) {
  FRAMEFLEET_ASSERT(is_snake_case(name) && find_section(name) == nullptr);
  tables_.push_back({std::move(name), std::move(help), count_max, std::move(begin), {}});
}

OptionSet::OptionSet(std::string program, std::string summary)
    : program_(std::move(program)), summary_(std::move(summary)) {}

Section OptionSet::section(std::string name, std::string help, FlagStyle style) {
  FRAMEFLEET_ASSERT(is_snake_case(name));
  if (find_section(name) == nullptr) sections_.push_back({name, std::move(help), style});
  return Section{*this, std::move(name)};
}

void OptionSet::positional(std::string name, std::vector<std::string>& field,
                           AboutPositional about) {
  FRAMEFLEET_ASSERT(!positional_.has_value());
  positional_ = Positional{std::move(name), std::move(about), &field};
}

void OptionSet::check(std::function<std::optional<std::string>()> judge) {
  checks_.push_back(std::move(judge));
}

Option* OptionSet::find(std::string_view section, std::string_view key) {
  for (Option& option : options_) {
    if (option.section == section && option.key == key) return &option;
  }
  return nullptr;
}

const OptionSet::SectionText* OptionSet::find_section(std::string_view name) const {
  for (const SectionText& section : sections_) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

std::string OptionSet::flag_of(const Option& option) const {
  const SectionText* section = find_section(option.section);
  FRAMEFLEET_ASSERT(section != nullptr);
  const auto competes = [&](const Option& other) {
    return other.key == option.key && find_section(other.section)->style == FlagStyle::key;
  };
  const bool ambiguous = std::ranges::count_if(options_, competes) > 1;
  std::string flag = section->style == FlagStyle::section_and_key || ambiguous
                         ? option.section + "-" + option.key
                         : option.key;
  std::ranges::replace(flag, '_', '-');
  return "--" + flag;
}

std::string environment_name(std::string_view section, std::string_view key) {
  std::string name = fmt::format("FRAMEFLEET_{}_{}", section, key);
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

}  // namespace framefleet::config
