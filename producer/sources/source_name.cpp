#include "producer/sources/source_name.hpp"

#include "producer/sources/synthetic_options.hpp"

#include "shared/security/digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>

namespace framefleet::producer {

namespace {

constexpr std::string_view kCutMark = "~";
constexpr std::size_t kDigestDigits = 16;

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

/// Length of the well-formed UTF-8 character that `text` starts with (RFC 3629); 0: it does not.
std::size_t character_length(std::string_view text) {
  const auto first = byte_at(text, 0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, i) & 0xC0U) != 0x80U) return 0;
  }
  const auto second = byte_at(text, 1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second > 0x9F;
  const bool beyond = first == 0xF4 && second > 0x8F;
  return overlong || surrogate || beyond ? 0 : length;
}

bool is_path(std::string_view argument) {
  return argument != "-" && argument.substr(0, kSyntheticScheme.size()) != kSyntheticScheme;
}

std::string without_trailing_slash(std::string text) {
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    auto length = character_length(text);
    const auto first = byte_at(text, 0);
    if (length == 0 || first < 0x20 || first == 0x7F) {
      result += fmt::format("\\x{:02X}", first);
      length = 1;
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return result;
}

std::string source_name(std::string_view job, std::string_view argument) {
  const auto whole = job.empty() ? std::string(argument) : fmt::format("{}/{}", job, argument);
  auto name = printable(whole);
  if (name.size() <= kSourceNameBytesMax) return name;
  auto cut = kSourceNameBytesMax - kCutMark.size() - kDigestDigits;
  while ((byte_at(name, cut) & 0xC0U) == 0x80U) --cut;  // not inside a character
  name.resize(cut);
  return fmt::format("{}{}{:016x}", name, kCutMark, security::source_hash(whole));
}

std::string normal_argument(std::string_view argument) {
  if (!is_path(argument)) return std::string(argument);
  return without_trailing_slash(std::filesystem::path(argument).lexically_normal().string());
}

std::string canonical_argument(std::string_view argument) {
  if (!is_path(argument)) return std::string(argument);
  std::error_code error;
  auto path = std::filesystem::absolute(std::filesystem::path(argument), error);
  if (error) path = argument;
  // Behind a link, ".." is not what the text says: only then is the file system asked.
  if (argument.find("..") != std::string_view::npos) {
    const auto resolved = std::filesystem::weakly_canonical(path, error);
    if (!error) path = resolved;
  }
  return without_trailing_slash(path.lexically_normal().string());
}

bool is_plain_name(std::string_view text) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !text.empty() && text.size() <= kPlainNameBytesMax && text.front() != '.' &&
         text.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::string job_of(const std::vector<std::string>& arguments,
                   const std::vector<std::string>& detectors) {
  std::vector<std::string> parts;
  for (const auto& argument : arguments) parts.push_back("source " + canonical_argument(argument));
  for (const auto& detector : detectors) parts.push_back("detector " + detector);
  std::sort(parts.begin(), parts.end());
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  std::string text;
  for (const auto& part : parts) {
    text += part;
    text += '\0';
  }
  return fmt::format("{:08x}", security::source_hash(text) >> 32U);
}

}  // namespace framefleet::producer
