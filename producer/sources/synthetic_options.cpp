#include "producer/sources/synthetic_options.hpp"

#include "producer/sources/source_name.hpp"
#include "producer/sources/synthetic_oracle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <set>
#include <system_error>

namespace framefleet::producer {

namespace {

template <class Number>
bool read_number(std::string_view text, Number low, Number high, Number& target) {
  Number value{};
  const auto* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  // Written so that a real number that is no number is outside as well.
  if (error != std::errc{} || stopped != end || !(value >= low && value <= high)) return false;
  target = value;
  return true;
}

bool read_size(std::string_view text, SyntheticOptions& options) {
  const auto cross = text.find('x');
  return cross != std::string_view::npos &&
         read_number(text.substr(0, cross), 200, 8192, options.width) &&
         read_number(text.substr(cross + 1), 200, 8192, options.height);
}

bool read_name(std::string_view text, SyntheticOptions& options) {
  if (!is_plain_name(text)) return false;
  options.name = std::string(text);
  return true;
}

struct OptionRow {
  std::string_view key;
  std::string_view range;  ///< For people, after "must be".
  bool (*read)(std::string_view text, SyntheticOptions& options);
};

constexpr std::array<OptionRow, 7> kOptionTable = {{
    {"count", "a whole number from 0 (endless) to 1000000000",
     [](std::string_view text, SyntheticOptions& options) {
       return read_number(text, std::uint64_t{0}, kSyntheticFramesMax, options.count);
     }},
    {"fps", "a number from 0 (as fast as accepted) to 1000 (frames per second)",
     [](std::string_view text, SyntheticOptions& options) {
       return read_number(text, 0.0, 1000.0, options.fps);
     }},
    {"size", "WIDTHxHEIGHT, each from 200 to 8192 pixels", read_size},
    {"seed", "a whole number from 0 to 18446744073709551615",
     [](std::string_view text, SyntheticOptions& options) {
       return read_number(text, std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max(),
                          options.seed);
     }},
    {"camera", "a whole number from 0 to 999",
     [](std::string_view text, SyntheticOptions& options) {
       return read_number(text, 0, kMarkerIds - 1, options.camera);
     }},
    {"quality", "a whole number from 30 to 100",
     [](std::string_view text, SyntheticOptions& options) {
       return read_number(text, 30, 100, options.quality);
     }},
    {"name", "1 to 64 of the characters A-Z a-z 0-9 . _ - without a dot in front", read_name},
}};

std::string option_names() {
  std::string names;
  for (const auto& row : kOptionTable) {
    if (!names.empty()) names += ", ";
    names += row.key;
  }
  return names;
}

auto usage(std::string text) { return fail(Error{std::move(text), exit_code::kUsage}); }

}  // namespace

Result<SyntheticOptions, Error> parse_synthetic(std::string_view argument) {
  SyntheticOptions options;
  auto rest = argument.substr(std::min(kSyntheticScheme.size(), argument.size()));
  if (!rest.empty() && rest.front() != '?') {
    return usage(
        fmt::format("{}: options start with '?', as in synthetic:?count=100&fps=25", argument));
  }
  if (!rest.empty()) rest.remove_prefix(1);
  std::set<std::string_view> given;
  while (!rest.empty()) {
    const auto option = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(option.size() + 1, rest.size()));
    const auto key = option.substr(0, option.find('='));
    const auto* const row = std::find_if(kOptionTable.begin(), kOptionTable.end(),
                                         [&](const OptionRow& each) { return each.key == key; });
    if (row == kOptionTable.end()) {
      return usage(fmt::format("{}: the synthetic camera has no option '{}'; it has {}", argument,
                               key, option_names()));
    }
    if (!given.insert(key).second)
      return usage(fmt::format("{}: {} is given twice", argument, key));
    const auto value = option.substr(std::min(key.size() + 1, option.size()));
    if (!row->read(value, options)) {
      return usage(fmt::format("{}: {} must be {}, not '{}'", argument, key, row->range, value));
    }
  }
  return options;
}

std::string to_argument(const SyntheticOptions& options) {
  auto text = fmt::format("{}?count={}&fps={}&size={}x{}&seed={}&camera={}&quality={}",
                          kSyntheticScheme, options.count, options.fps, options.width,
                          options.height, options.seed, options.camera, options.quality);
  if (!options.name.empty()) text += "&name=" + options.name;
  return text;
}

}  // namespace framefleet::producer
