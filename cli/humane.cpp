#include "cli/humane.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace framefleet::cli {

std::string humane_duration(double seconds) {
  constexpr double kSecondsMax = 1e9;  // 30 years; keeps the whole numbers below whole
  constexpr std::uint64_t kMinute = 60;
  constexpr std::uint64_t kHour = 60 * kMinute;
  constexpr std::uint64_t kDay = 24 * kHour;
  if (!(seconds > 0)) return "0s";
  if (seconds < 0.9995) return fmt::format("{:.{}f}ms", 1e3 * seconds, seconds < 0.00995 ? 1 : 0);
  if (seconds < 9.95) return fmt::format("{:.1f}s", seconds);
  const auto whole = static_cast<std::uint64_t>(std::min(seconds, kSecondsMax) + 0.5);
  if (whole < kMinute) return fmt::format("{}s", whole);
  if (whole < kHour) return fmt::format("{}min {:02}s", whole / kMinute, whole % kMinute);
  if (whole < kDay) return fmt::format("{}h {:02}min", whole / kHour, whole % kHour / kMinute);
  return fmt::format("{}d {}h", whole / kDay, whole % kDay / kHour);
}

std::string humane_bytes(double bytes) {
  constexpr std::array<std::string_view, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  constexpr double kStep = 1024;
  std::size_t unit = 0;
  double amount = std::max(bytes, 0.0);
  while (amount >= kStep && unit + 1 < kUnits.size()) {
    amount /= kStep;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", amount, unit == 0 ? 0 : 1, kUnits.at(unit));
}

std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return (static_cast<unsigned char>(c) < 0x20) || c == 0x7f; }, '?');
  return text;
}

}  // namespace framefleet::cli
