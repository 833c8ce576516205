#include "shared/config/values.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <optional>
#include <span>

namespace framefleet::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t size;
};

constexpr std::array<Unit, 7> kDurations{{{"ns", 1},
                                          {"us", 1'000},
                                          {"ms", 1'000'000},
                                          {"s", 1'000'000'000},
                                          {"min", 60'000'000'000},
                                          {"h", 3'600'000'000'000},
                                          {"d", 86'400'000'000'000}}};

constexpr std::array<Unit, 9> kSizes{{{"B", 1},
                                      {"KB", 1'000},
                                      {"KiB", 1'024},
                                      {"MB", 1'000'000},
                                      {"MiB", 1'048'576},
                                      {"GB", 1'000'000'000},
                                      {"GiB", 1'073'741'824},
                                      {"TB", 1'000'000'000'000},
                                      {"TiB", 1'099'511'627'776}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A decimal number split at its point, and what follows it.
struct Split {
  std::int64_t whole{0};
  std::int64_t fraction{0};        ///< Of 1/10^digits.
  std::int64_t fraction_scale{1};  ///< 10^digits.
  std::string_view unit;
};

std::optional<Split> split_number(std::string_view text) {
  constexpr std::int64_t kScaleMax = 1'000'000'000;
  Split split;
  std::size_t at = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    if (__builtin_mul_overflow(split.whole, 10, &split.whole) ||
        __builtin_add_overflow(split.whole, text[at] - '0', &split.whole)) {
      return std::nullopt;
    }
  }
  if (at == 0) return std::nullopt;
  if (at < text.size() && text[at] == '.') {
    const std::size_t first = ++at;
    for (; at < text.size() && is_digit(text[at]); ++at) {
      if (split.fraction_scale == kScaleMax) return std::nullopt;
      split.fraction = split.fraction * 10 + (text[at] - '0');
      split.fraction_scale *= 10;
    }
    if (at == first) return std::nullopt;
  }
  split.unit = text.substr(at);
  return split;
}

/// The value in the smallest unit; nothing on overflow or where it is no whole number of them.
std::optional<std::int64_t> in_smallest(const Split& split, std::int64_t unit_size) {
  std::int64_t whole = 0;
  std::int64_t part = 0;
  if (__builtin_mul_overflow(split.whole, unit_size, &whole) ||
      __builtin_mul_overflow(split.fraction, unit_size, &part) ||
      part % split.fraction_scale != 0 ||
      __builtin_add_overflow(whole, part / split.fraction_scale, &whole)) {
    return std::nullopt;
  }
  return whole;
}

const Unit* find_unit(std::span<const Unit> units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

/// Every spelling reads back exactly, so the largest dividing unit is also the shortest honest one.
std::string in_largest_unit(std::span<const Unit> units, std::int64_t value) {
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (value % unit.size == 0) best = &unit;
  }
  return fmt::format("{}{}", value / best->size, best->name);
}

}  // namespace

Result<Duration, std::string> parse_duration(std::string_view text) {
  const auto split = split_number(text);
  if (!split) return fail(fmt::format("\"{}\" is not a duration", text));
  if (split->unit.empty()) return fail(fmt::format("\"{}\" lacks its unit", text));
  const Unit* unit = find_unit(kDurations, split->unit);
  if (unit == nullptr) return fail(fmt::format("\"{}\" is not a unit of time", split->unit));
  const auto value = in_smallest(*split, unit->size);
  if (!value) return fail(fmt::format("\"{}\" is too large or too fine", text));
  return Duration{*value};
}

std::string duration_text(Duration duration) {
  if (duration.count() == 0) return "0s";
  return in_largest_unit(kDurations, duration.count());
}

Result<Bytes, std::string> parse_bytes(std::string_view text) {
  const auto split = split_number(text);
  if (!split) return fail(fmt::format("\"{}\" is not a size", text));
  const Unit* unit = find_unit(kSizes, split->unit.empty() ? "B" : split->unit);
  if (unit == nullptr) return fail(fmt::format("\"{}\" is not a unit of size", split->unit));
  const auto value = in_smallest(*split, unit->size);
  if (!value) return fail(fmt::format("\"{}\" is too large or not a whole number of bytes", text));
  return Bytes{static_cast<std::uint64_t>(*value)};
}

std::string bytes_text(Bytes bytes) {
  if (bytes.count == 0 || bytes > kBytesMax) return fmt::format("{}B", bytes.count);
  return in_largest_unit(kSizes, static_cast<std::int64_t>(bytes.count));
}

}  // namespace framefleet::config
