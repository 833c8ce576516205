#include "cli/log_excerpt.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace framefleet::cli {
namespace {

/// "2026-05-01T12:00:00.123Z info …", as shared/telemetry/log.hpp writes them.
constexpr std::string_view kStampShape = "dddd-dd-ddTdd:dd:dd.dddZ ";

bool is_log_line(std::string_view line) {
  if (line.size() < kStampShape.size()) return false;
  return std::equal(kStampShape.begin(), kStampShape.end(), line.begin(), [](char shape, char c) {
    return shape == 'd' ? c >= '0' && c <= '9' : c == shape;
  });
}

/// The text of `… error framefleet-sink failed text="why"`; "" if the line is no such thing.
std::string failure_text(std::string_view line) {
  constexpr std::string_view kField = " failed text=";
  const std::size_t at = line.find(kField);
  if (at == std::string_view::npos) return {};
  std::string_view value = line.substr(at + kField.size());
  if (value.empty() || value.front() != '"') return std::string(value.substr(0, value.find(' ')));
  std::string text;
  for (std::size_t i = 1; i < value.size() && value[i] != '"'; ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    text += value[i];
  }
  return text;
}

/// The line as a person should see it; "" if it is not for people.
std::string spoken(std::string_view line) {
  constexpr std::string_view kLevel = "error ";
  if (!is_log_line(line)) return std::string(line);
  std::string_view rest = line.substr(kStampShape.size());
  if (rest.substr(0, kLevel.size()) != kLevel) return {};
  rest.remove_prefix(kLevel.size());
  const std::string why = failure_text(rest);
  if (why.empty()) return std::string(rest);
  return std::string(rest.substr(0, rest.find(' '))) + ": " + why;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t newline = std::min(text.find('\n'), text.size());
    if (newline > 0) lines.push_back(text.substr(0, newline));
    text.remove_prefix(std::min(newline + 1, text.size()));
  }
  return lines;
}

}  // namespace

std::string log_excerpt(std::string_view text, std::size_t lines_max) {
  const auto all = lines_of(text);
  std::vector<std::string> chosen;
  for (const std::string_view line : all) {
    std::string words = spoken(line);
    if (!words.empty()) chosen.push_back(std::move(words));
  }
  if (chosen.empty()) chosen.assign(all.begin(), all.end());
  std::string excerpt;
  const std::size_t skipped = chosen.size() > lines_max ? chosen.size() - lines_max : 0;
  for (std::size_t at = skipped; at < chosen.size(); ++at) {
    if (!excerpt.empty()) excerpt += '\n';
    excerpt += chosen[at];
  }
  return excerpt;
}

}  // namespace framefleet::cli
