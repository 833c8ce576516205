#include "shared/wire/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace framefleet::wire {
namespace {

unsigned byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

/// Bytes of the well-formed character at the start of `text` (not empty), 0 if there is none.
/// The ranges are those of table 3-7 of the Unicode standard.
std::size_t character_bytes(std::string_view text) {
  const unsigned lead = byte_at(text, 0);
  if (lead < 0x80) return 1;
  std::size_t count = 0;
  unsigned low = 0x80;
  unsigned high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    count = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    count = 3;
    if (lead == 0xE0) low = 0xA0;   // shorter forms exist
    if (lead == 0xED) high = 0x9F;  // surrogates
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    count = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;  // over U+10FFFF
  }
  if (count == 0 || text.size() < count) return 0;
  if (byte_at(text, 1) < low || byte_at(text, 1) > high) return 0;
  for (std::size_t i = 2; i < count; ++i) {
    if ((byte_at(text, i) & 0xC0U) != 0x80U) return 0;
  }
  return count;
}

/// Bytes at the start of `text` that are ASCII.
std::size_t ascii_bytes(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  std::size_t count = 0;
  for (std::uint64_t word = 0; count + sizeof word <= text.size(); count += sizeof word) {
    std::memcpy(&word, text.data() + count, sizeof word);
    if ((word & kHighBits) != 0) break;
  }
  while (count < text.size() && byte_at(text, count) < 0x80) ++count;
  return count;
}

}  // namespace

bool is_utf8(std::string_view text) {
  text.remove_prefix(ascii_bytes(text));
  while (!text.empty()) {
    const auto count = character_bytes(text);
    if (count == 0) return false;
    text.remove_prefix(count);
  }
  return true;
}

std::string clip_utf8(std::string_view text, std::size_t bytes_max) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string clean;
  clean.reserve(std::min(text.size(), bytes_max));
  while (!text.empty()) {
    const auto count = character_bytes(text);
    const auto next = count == 0 ? kReplacement : text.substr(0, count);
    if (clean.size() + next.size() > bytes_max) break;
    clean += next;
    text.remove_prefix(std::max<std::size_t>(count, 1));
  }
  return clean;
}

}  // namespace framefleet::wire
