#include "shared/base/secret.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <ostream>
#include <set>

namespace framefleet {
namespace {

constexpr std::string_view kBlot = "***";
/// How much of a secret must stand at the end of a text to count as its beginning, cut off.
constexpr std::size_t kCutBytesMin = 4;
/// A value of a query that is shorter ("channel=1") is blotted out in its query alone.
constexpr std::size_t kValueBytesMin = 3;

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

/// The byte that a %XX at `at` stands for.
std::optional<char> escaped(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size() || text[at] != '%') return std::nullopt;
  const auto high = hex_digit(text[at + 1]);
  const auto low = hex_digit(text[at + 2]);
  if (!high || !low) return std::nullopt;
  return static_cast<char>(static_cast<unsigned char>(*high * 16 + *low));
}

std::string base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = i; j < i + 3; ++j) {
      group = group << 8U | (j < text.size() ? static_cast<unsigned char>(text[j]) : 0U);
    }
    const std::size_t digits = std::min<std::size_t>(3, text.size() - i) + 1;
    for (std::size_t j = 0; j < 4; ++j) {
      out += j < digits ? kDigits[group >> (18 - 6 * j) & 63U] : '=';
    }
  }
  return out;
}

/// The parts of a URL that a secret can stand in.
struct UrlParts {
  std::string_view scheme;  // with "://"
  std::string_view user_info;
  std::string_view host;
  std::string_view path;   // to its first segment with "="
  std::string_view query;  // the rest, with what begins it
};

std::optional<UrlParts> split_url(std::string_view url) {
  const auto colon = url.find("://");
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  UrlParts parts;
  parts.scheme = url.substr(0, colon + 3);
  url.remove_prefix(parts.scheme.size());
  // A password that is not encoded as it should be may hold "/" and "?" itself: the last "@" counts
  // unless it stands behind what is surely a path.
  auto authority_end = std::min(url.find_first_of("/?#"), url.size());
  auto at = url.substr(0, authority_end).rfind('@');
  if (at == std::string_view::npos && url.substr(0, authority_end).find(':') != url.npos) {
    const auto port = url.substr(0, authority_end).substr(url.find(':') + 1);
    const bool is_port = !port.empty() && port.find_first_not_of("0123456789") == port.npos;
    if (!is_port && !url.starts_with('[')) at = url.rfind('@');
  }
  if (at != std::string_view::npos) {
    parts.user_info = url.substr(0, at);
    url.remove_prefix(at + 1);
    authority_end = std::min(url.find_first_of("/?#"), url.size());
  }
  parts.host = url.substr(0, authority_end);
  url.remove_prefix(authority_end);
  auto end = std::min(url.find_first_of("?#"), url.size());
  if (const auto equals = url.substr(0, end).find('='); equals != std::string_view::npos) {
    end = url.rfind('/', equals) + 1;
  }
  parts.path = url.substr(0, end);
  parts.query = url.substr(end);
  return parts;
}

/// Every end of `c` in `text` at `at`: as it is, percent-encoded, or that percent-encoded again.
void add_ends(std::string_view text, std::size_t at, char c, std::set<std::size_t>& ends) {
  if (text[at] == c) ends.insert(at + 1);
  const auto once = escaped(text, at);
  if (once == c) ends.insert(at + 3);
  if (once != '%' || at + 4 >= text.size()) return;
  const std::array<char, 3> inner{'%', text[at + 3], text[at + 4]};
  if (escaped({inner.data(), inner.size()}, 0) == c) ends.insert(at + 5);
}

/// Where `needle` stands at `at`: how many bytes it takes there, at most. At the end of the text
/// its beginning is enough.
std::size_t length_at(std::string_view text, std::size_t at, std::string_view needle) {
  // A "%" may be itself or the start of a %XX, so a spelling can be read in more than one way.
  std::set<std::size_t> ends{at};
  for (std::size_t i = 0; i < needle.size(); ++i) {
    std::set<std::size_t> next;
    for (const auto end : ends) {
      const bool cut = end == text.size() || (text[end] == '%' && text.size() - end < 5);
      if (cut && i >= kCutBytesMin) return text.size() - at;
      if (end < text.size()) add_ends(text, end, needle[i], next);
    }
    if (next.empty()) return 0;
    ends = std::move(next);
  }
  return *ends.rbegin() - at;
}

}  // namespace

std::string redacted_url(std::string_view url) {
  const auto parts = split_url(url);
  if (!parts) return std::string(url);
  std::string out{parts->scheme};
  if (!parts->user_info.empty()) out.append(kBlot).append("@");
  out.append(parts->host).append(parts->path);
  if (parts->query.empty()) return out;
  if (const char first = parts->query.front(); first == '?' || first == '#') out += first;
  return out.append(kBlot);
}

std::string Secret::redacted() const {
  auto parts = parts_;
  std::ranges::sort(parts, std::ranges::greater{}, &std::string::size);
  std::string shown = text_;
  for (const auto& part : parts) {
    if (part.empty()) continue;
    for (auto at = shown.find(part); at != std::string::npos;
         at = shown.find(part, at + kBlot.size())) {
      shown.replace(at, part.size(), kBlot);
    }
  }
  return redacted_url(shown);
}

std::ostream& operator<<(std::ostream& out, const Secret& secret) {
  return out << secret.redacted();
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_word(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = escaped(text, i);
    out += byte.value_or(text[i]);
    if (byte) i += 2;
  }
  return out;
}

void Scrubber::add(std::string text, bool whole_word) {
  if (text.empty()) return;
  if (auto decoded = percent_decoded(text); decoded != text) {
    needles_.push_back({std::move(decoded), whole_word});
  }
  needles_.push_back({std::move(text), whole_word});
}

void Scrubber::add_user_info(std::string_view user_info) {
  if (user_info.empty()) return;
  const auto colon = std::min(user_info.find(':'), user_info.size());
  const auto user = user_info.substr(0, colon);
  add(std::string(user), true);
  add(std::string(user_info), true);
  if (colon == user_info.size()) return;
  const auto password = user_info.substr(colon + 1);
  add(std::string(password), false);
  add(base64(percent_decoded(user) + ":" + percent_decoded(password)), false);
  add(base64(user_info), false);
}

void Scrubber::add(const Secret& secret) {
  for (const auto& part : secret.parts()) add(part, false);
  const auto parts = split_url(secret.reveal());
  if (!parts) return add(secret.reveal(), false);
  add_user_info(parts->user_info);
  if (parts->query.empty()) return;
  add(std::string(parts->query), true);
  // "?user=admin&password=x" and what some cameras make of a path: "user=admin_password=x_".
  std::string_view rest = parts->query;
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of("?#&;/"), rest.size());
    const auto pair = rest.substr(0, end);
    const auto value = pair.substr(std::min(pair.find('='), pair.size()));
    if (value.size() > kValueBytesMin) add(std::string(value.substr(1)), true);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

/// The longest secret that stands at `at`: how many bytes; 0: none does.
std::size_t Scrubber::match(std::string_view text, std::size_t at) const {
  std::size_t longest = 0;
  for (const auto& needle : needles_) {
    const auto length = length_at(text, at, needle.text);
    if (length <= longest) continue;
    const auto end = at + length;
    const bool inside_a_word =
        (at > 0 && is_word(text[at - 1]) && is_word(needle.text.front())) ||
        (end < text.size() && is_word(text[end]) && is_word(needle.text.back()));
    if (!needle.whole_word || !inside_a_word) longest = length;
  }
  return longest;
}

std::string Scrubber::scrubbed(std::string_view text) const {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (const auto length = match(text, at); length > 0) {
      if (!out.ends_with(kBlot)) out += kBlot;
      at += length;
    } else {
      out += text[at++];
    }
  }
  // URLs of which nothing is known here: user info ends at the last "@" before a space.
  for (auto at = out.find("://"); at != std::string::npos; at = out.find("://", at + 3)) {
    const auto begin = at + 3;
    const auto end = std::min(out.find_first_of("/?# \t\r\n'\"<>", begin), out.size());
    const auto info_end = out.substr(0, end).rfind('@');
    if (info_end == std::string::npos || info_end < begin) continue;
    out.replace(begin, info_end - begin, kBlot);
  }
  return out;
}

}  // namespace framefleet
