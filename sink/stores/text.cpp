#include "sink/stores/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace framefleet::sink {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::size_t kStemBytesMax = 100;

struct Utf8Lead {
  std::size_t length;
  std::uint32_t bits;
  std::uint32_t smallest;  ///< Below it the spelling is overlong.
};

Utf8Lead utf8_lead(unsigned char byte) {
  if (byte < 0x80) return {1, byte, 0};
  if (byte >= 0xC2 && byte < 0xE0) return {2, byte & 0x1FU, 0x80};
  if (byte >= 0xE0 && byte < 0xF0) return {3, byte & 0x0FU, 0x800};
  if (byte >= 0xF0 && byte < 0xF5) return {4, byte & 0x07U, 0x10000};
  return {0, 0, 0};
}

struct Character {
  std::size_t length{0};
  std::uint32_t code{0};
};

Character first_character(std::string_view text) {
  if (text.empty()) return {};
  const auto lead = utf8_lead(static_cast<unsigned char>(text.front()));
  if (lead.length == 0 || lead.length > text.size()) return {};
  auto code = lead.bits;
  for (std::size_t i = 1; i < lead.length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0U) != 0x80U) return {};
    code = (code << 6U) | (byte & 0x3FU);
  }
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < lead.smallest || code > 0x10FFFF || surrogate) return {};
  return {lead.length, code};
}

/// Characters that are invisible, turn the reading direction, or break lines.
bool is_unprintable(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x200B && code <= 0x200F) ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) ||
         code == 0xFEFF || code >= 0xE0000;
}

bool is_kept_in_name(std::uint32_t code) {
  constexpr std::string_view kRefused = "/\\:*?\"<>|&;$`'!{}~^%";
  if (is_unprintable(code)) return false;
  return code >= 0x80 || kRefused.find(static_cast<char>(code)) == std::string_view::npos;
}

/// Nearly every text is ASCII, without the byte that ends one in C. Looks at all of it, so that
/// compilers can do so at many bytes at once.
bool is_plain(std::string_view text) {
  bool plain = true;
  for (const char c : text) plain &= static_cast<signed char>(c) > 0;
  return plain;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view without_picture_extension(std::string_view name) {
  constexpr std::array<std::string_view, 11> kExtensions{
      "jpg", "jpeg", "png", "bmp", "webp", "tif", "tiff", "pgm", "ppm", "pnm", "gif"};
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return name;
  std::string extension(name.substr(dot + 1));
  std::transform(extension.begin(), extension.end(), extension.begin(), lower);
  const bool known =
      std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
  return known ? name.substr(0, dot) : name;
}

}  // namespace

std::size_t utf8_length(std::string_view text) { return first_character(text).length; }

std::string clean_text(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max && is_plain(text)) return std::string(text);
  std::string out;
  out.reserve(std::min(text.size(), bytes_max));
  while (!text.empty()) {
    const auto length = utf8_length(text);
    const bool sound = length > 0 && text.front() != '\0';
    const auto piece = sound ? text.substr(0, length) : kReplacement;
    if (out.size() + piece.size() > bytes_max) break;
    out += piece;
    text.remove_prefix(sound ? length : 1);
  }
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto plain = std::find_if(text.begin(), text.end(), [](char c) {
      return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
    });
    const auto count = static_cast<std::size_t>(plain - text.begin());
    out += text.substr(0, count);
    if (count == text.size()) break;
    const char c = text[count];
    text.remove_prefix(count + 1);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  out += '"';
}

std::optional<std::string> iso_time(std::int64_t unix_ms) {
  constexpr std::int64_t kEndOfYear9999Ms = 253402300799999;
  if (unix_ms < 0 || unix_ms > kEndOfYear9999Ms) return std::nullopt;
  const auto whole = static_cast<std::time_t>(unix_ms / 1000);
  std::tm utc{};
  if (::gmtime_r(&whole, &utc) == nullptr) return std::nullopt;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     unix_ms % 1000);
}

std::string picture_stem(std::string_view origin) {
  while (!origin.empty() && (origin.back() == '/' || origin.back() == '\\'))
    origin.remove_suffix(1);
  if (const auto slash = origin.find_last_of("/\\"); slash != std::string_view::npos) {
    origin.remove_prefix(slash + 1);
  }
  origin = without_picture_extension(origin);
  std::string stem;
  while (!origin.empty()) {
    const auto [length, code] = first_character(origin);
    const bool kept = length > 0 && is_kept_in_name(code);
    const auto piece = kept ? origin.substr(0, length) : std::string_view("_");
    if (stem.size() + piece.size() > kStemBytesMax) break;
    stem += piece;
    origin.remove_prefix(std::max<std::size_t>(length, 1));
  }
  // A name must not be hidden, read as an option, be "." or "..", or end in what Windows drops.
  while (!stem.empty() && (stem.back() == '.' || stem.back() == ' ')) stem.pop_back();
  if (stem.empty()) return "picture";
  const bool unfortunate = stem.front() == '.' || stem.front() == '-' || stem.front() == ' ';
  if (unfortunate) stem.front() = '_';
  return stem;
}

std::string safe_word(std::string_view word, std::size_t bytes_max) {
  std::string out;
  for (const char given : word.substr(0, bytes_max)) {
    const char c = lower(given);
    const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    out += kept ? c : '_';
  }
  if (out.empty()) return "picture";
  if (out.front() == '-') out.front() = '_';
  return out;
}

}  // namespace framefleet::sink
