#pragma once
// How an event becomes one line, and when it may: the pure half of the log.

#include "shared/base/time.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace framefleet::telemetry {

/// A value of a log field. Text is quoted where it needs to be; a duration is printed as "0.250s".
class LogValue {
 public:
  LogValue(std::string_view text) : value_(text) {}
  LogValue(const std::string& text) : value_(std::string_view{text}) {}
  LogValue(const char* text) : value_(std::string_view{text}) {}
  LogValue(bool flag) : value_(std::string_view{flag ? "true" : "false"}) {}
  LogValue(double number) : value_(number) {}
  LogValue(Duration duration) : value_(duration) {}
  template <std::signed_integral T>
  LogValue(T number) : value_(std::int64_t{number}) {}
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) LogValue(T number) : value_(std::uint64_t{number}) {}

  void append_to(std::string& line) const;

 private:
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, Duration> value_;
};

/// Borrows its texts: made for the one call that logs it.
struct LogField {
  std::string_view key;
  LogValue value;
};

/// `event key=value key="a \"quoted\" text"`, always one line of UTF-8 as given, whatever the texts
/// hold: control characters, quotes and backslashes are escaped, texts over 1 KiB are cut and end
/// in "…".
std::string log_line(std::string_view event, std::span<const LogField> fields);

/// At most `per_second` lines of one event in one second; what was held back is counted and told.
class EventRateLimit {
 public:
  /// 0: no limit.
  explicit EventRateLimit(std::uint32_t per_second) : per_second_(per_second) {}

  struct Verdict {
    bool write{true};
    std::uint64_t suppressed{0};  ///< Held back since this event's last line.
  };
  Verdict judge(std::string_view event, Time now);

  struct Suppressed {
    std::string event;
    std::uint64_t count;
  };
  /// Events that held lines back and whose second is over: tells each once. `now` = kNever: all.
  std::vector<Suppressed> take_suppressed(Time now);

 private:
  /// Event names are literals in the code; more of them than this share one window.
  static constexpr std::size_t kEventsMax = 512;

  struct Window {
    Time start{};
    std::uint32_t written{0};
    std::uint64_t suppressed{0};
  };

  std::uint32_t per_second_;
  std::map<std::string, Window, std::less<>> windows_;
};

}  // namespace framefleet::telemetry
