#include "shared/base/task_id.hpp"

#include <charconv>

namespace framefleet {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

/// Of each character as a digit of kDigits; negative: it is none.
constexpr auto kDigitValues = [] {
  std::array<int, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kDigits.size(); ++i) {
    values.at(static_cast<unsigned char>(kDigits[i])) = static_cast<int>(i);
  }
  return values;
}();

/// Nothing where one of the characters is no digit.
std::optional<std::uint64_t> parse_source(std::string_view digits) {
  std::uint64_t source = 0;
  int all = 0;
  for (const char digit : digits) {
    const int value = kDigitValues[static_cast<unsigned char>(digit)];
    all |= value;
    source = (source << 4U) | (static_cast<unsigned>(value) & 0xFU);
  }
  return all < 0 ? std::nullopt : std::optional{source};
}

/// Reads a whole number that fills `text` exactly, in its one spelling: no sign, no leading zero.
template <class Number>
bool parse_number(std::string_view text, Number& out) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

constexpr std::size_t kSourceDigits = 16;

/// Writes the digits; the place behind them.
char* put_source(char* at, std::uint64_t source) {
  for (std::size_t i = kSourceDigits; i-- > 0; source >>= 4U) at[i] = kDigits[source & 0xFU];
  return at + kSourceDigits;
}

}  // namespace

TaskIdText::TaskIdText(const TaskId& id) {
  char* const end = chars_.data() + chars_.size();
  char* at = put_source(chars_.data(), id.source);
  *at++ = '-';
  at = std::to_chars(at, end, id.epoch).ptr;
  *at++ = '-';
  at = std::to_chars(at, end, id.sequence).ptr;
  if (id.part != 0) {
    *at++ = '.';
    at = std::to_chars(at, end, id.part).ptr;
  }
  size_ = static_cast<std::size_t>(at - chars_.data());
}

std::string to_string(const TaskId& id) { return std::string(TaskIdText(id).view()); }

std::string source_text(std::uint64_t source) {
  std::string text(kSourceDigits, '0');
  put_source(text.data(), source);
  return text;
}

std::optional<TaskId> parse_task_id(std::string_view text) {
  if (text.size() < kSourceDigits + 4 || text[kSourceDigits] != '-') return std::nullopt;
  TaskId id;
  const auto source = parse_source(text.substr(0, kSourceDigits));
  if (!source) return std::nullopt;
  id.source = *source;
  text.remove_prefix(kSourceDigits + 1);
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || !parse_number(text.substr(0, dash), id.epoch)) {
    return std::nullopt;
  }
  text.remove_prefix(dash + 1);
  if (const auto dot = text.find('.'); dot != std::string_view::npos) {
    if (!parse_number(text.substr(dot + 1), id.part) || id.part == 0) return std::nullopt;
    text = text.substr(0, dot);
  }
  if (!parse_number(text, id.sequence)) return std::nullopt;
  return id;
}

}  // namespace framefleet
