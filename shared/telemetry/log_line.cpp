#include "shared/telemetry/log_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace framefleet::telemetry {
namespace {

constexpr std::size_t kTextBytesMax = 1024;
constexpr std::string_view kEscaped = "\"\\\n\r\t";
constexpr std::string_view kEscapeLetters = "\"\\nrt";  // In the order of kEscaped.

bool is_control(unsigned char byte) { return byte < 0x20 || byte == 0x7F; }

/// A cut never leaves half a UTF-8 character behind.
std::string_view cut(std::string_view text) {
  if (text.size() <= kTextBytesMax) return text;
  std::size_t end = kTextBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

void append_text(std::string& line, std::string_view text) {
  const std::string_view shown = cut(text);
  const bool is_cut = shown.size() < text.size();
  const bool plain = !shown.empty() && !is_cut && std::ranges::none_of(shown, [](char c) {
    return is_control(static_cast<unsigned char>(c)) || c == ' ' || c == '"' || c == '=' ||
           c == '\\';
  });
  if (plain) {
    line += shown;
    return;
  }
  line += '"';
  for (const char c : shown) {
    if (const auto at = kEscaped.find(c); at != std::string_view::npos) {
      line += '\\';
      line += kEscapeLetters[at];
    } else if (is_control(static_cast<unsigned char>(c))) {
      fmt::format_to(std::back_inserter(line), "\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      line += c;
    }
  }
  line += is_cut ? "…\"" : "\"";
}

struct AppendValue {
  std::string& line;

  void operator()(std::string_view text) const { append_text(line, text); }
  void operator()(std::int64_t number) const { line += fmt::format("{}", number); }
  void operator()(std::uint64_t number) const { line += fmt::format("{}", number); }
  void operator()(double number) const { line += fmt::format("{}", number); }
  void operator()(Duration duration) const { line += fmt::format("{:.3f}s", seconds(duration)); }
};

}  // namespace

void LogValue::append_to(std::string& line) const { std::visit(AppendValue{line}, value_); }

std::string log_line(std::string_view event, std::span<const LogField> fields) {
  std::string line{event};
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    field.value.append_to(line);
  }
  return line;
}

EventRateLimit::Verdict EventRateLimit::judge(std::string_view event, Time now) {
  if (per_second_ == 0) return {};
  auto found = windows_.find(event);
  if (found == windows_.end()) {
    const std::string_view name = windows_.size() < kEventsMax ? event : "other_events";
    found = windows_.try_emplace(std::string(name), Window{.start = now}).first;
  }
  Window& window = found->second;
  if (now - window.start >= std::chrono::seconds{1}) {
    window.start = now;
    window.written = 0;
  }
  if (window.written >= per_second_) {
    ++window.suppressed;
    return {.write = false};
  }
  ++window.written;
  return {.write = true, .suppressed = std::exchange(window.suppressed, 0)};
}

std::vector<EventRateLimit::Suppressed> EventRateLimit::take_suppressed(Time now) {
  std::vector<Suppressed> taken;
  for (auto& [event, window] : windows_) {
    const bool over = now == kNever || now - window.start >= std::chrono::seconds{1};
    if (over && window.suppressed > 0) {
      taken.push_back({event, std::exchange(window.suppressed, 0)});
    }
  }
  return taken;
}

}  // namespace framefleet::telemetry
