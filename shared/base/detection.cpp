#include "shared/base/detection.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace framefleet {

double as_printed(float value) {
  std::array<char, 32> digits{};
  const auto* end = fmt::format_to(digits.data(), "{}", value);
  double result = static_cast<double>(value);
  std::from_chars(digits.data(), end, result);
  return result;
}

}  // namespace framefleet
