#include "shared/base/task_id.hpp"

#include <fmt/format.h>

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

}  // namespace

std::string to_string(const TaskId& id) {
  auto text = fmt::format("{:016x}-{}-{}", id.source, id.epoch, id.sequence);
  if (id.part != 0) text += fmt::format(".{}", id.part);
  return text;
}

std::optional<TaskId> parse_task_id(std::string_view text) {
  constexpr std::size_t kSourceDigits = 16;
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
