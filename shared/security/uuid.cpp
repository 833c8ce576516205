#include "shared/security/uuid.hpp"

#include "shared/security/sodium.hpp"

#include <sodium.h>

#include <array>
#include <string_view>

namespace framefleet::security {

std::string random_uuid() {
  ensure_sodium();
  std::array<unsigned char, 16> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0FU) | 0x40U);  // version 4: random
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3FU) | 0x80U);  // variant of RFC 4122

  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[bytes.at(i) >> 4U];
    text += kDigits[bytes.at(i) & 0x0FU];
  }
  return text;
}

}  // namespace framefleet::security
