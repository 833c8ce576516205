#include "shared/security/z85.hpp"

#include "shared/base/assert.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>

namespace framefleet::security {
namespace {

constexpr std::string_view kDigits =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
static_assert(kDigits.size() == 85);

}  // namespace

void encode_z85(std::span<const unsigned char> bytes, std::span<char> text) {
  FRAMEFLEET_ASSERT(bytes.size() % 4 == 0 && text.size() == bytes.size() / 4 * 5);
  for (std::size_t group = 0; group < bytes.size() / 4; ++group) {
    std::uint32_t value = 0;
    for (const auto byte : bytes.subspan(group * 4, 4)) value = value << 8U | byte;
    for (std::size_t i = 5; i-- > 0; value /= 85) text[group * 5 + i] = kDigits[value % 85];
  }
}

bool decode_z85(std::string_view text, std::span<unsigned char> bytes) {
  if (text.size() % 5 != 0 || bytes.size() != text.size() / 5 * 4) return false;
  for (std::size_t group = 0; group < text.size() / 5; ++group) {
    std::uint64_t value = 0;
    for (const char c : text.substr(group * 5, 5)) {
      const auto digit = kDigits.find(c);
      if (digit == std::string_view::npos) return false;
      value = value * 85 + digit;
    }
    if (value > std::numeric_limits<std::uint32_t>::max()) return false;
    for (std::size_t i = 4; i-- > 0; value >>= 8U) {
      bytes[group * 4 + i] = static_cast<unsigned char>(value & 0xFFU);
    }
  }
  return true;
}

}  // namespace framefleet::security
