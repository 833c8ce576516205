#include "shared/base/task_id.hpp"

#include <charconv>

namespace framefleet {
namespace {

/// Reads a whole number that fills `text` exactly, in its one spelling: no sign, no leading zero.
template <class Number>
bool parse_number(std::string_view text, Number& out, int base = 10) {
  if (text.empty()) return false;
  if (base == 10 && text.size() > 1 && text.front() == '0') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc{} && end == text.data() + text.size();
}

constexpr std::size_t kSourceDigits = 16;

/// Writes the digits; the place behind them.
char* put_source(char* at, std::uint64_t source) {
  constexpr std::string_view kDigits = "0123456789abcdef";
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
  const auto source = text.substr(0, kSourceDigits);
  if (source.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  if (!parse_number(source, id.source, 16)) return std::nullopt;
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
