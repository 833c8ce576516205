#include "shared/base/detection.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace framefleet {

double as_printed(float value) {
  // Whole numbers of so few digits are printed with all of them.
  constexpr float kWholeMax = 1e6F;
  if (std::abs(value) <= kWholeMax && std::trunc(value) == value) return static_cast<double>(value);
  std::array<char, 32> digits{};
  const auto* end = fmt::format_to(digits.data(), "{}", value);
  double result = static_cast<double>(value);
  std::from_chars(digits.data(), end, result);
  return result;
}

}  // namespace framefleet
