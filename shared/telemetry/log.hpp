#pragma once
// The log of a process: one event, one line on stderr,
//
//   2026-05-01T12:00:00.123Z info framefleet-broker peer_hello peer=7 role=worker
//
// error = an operator must act, warn = degraded but handled, info = life of the process, debug =
// per task. A logger is passed in, never global. An event that comes too often is held back and
// counted: its next line, or a line `log_suppressed`, tells how many. Threads: any. Errors: a
// stderr that cannot be written is ignored.

#include "shared/base/time.hpp"
#include "shared/config/option_set.hpp"
#include "shared/telemetry/log_line.hpp"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace framefleet::telemetry {

enum class LogLevel : std::uint8_t { error, warn, info, debug };
std::string_view to_string(LogLevel level);

struct LogOptions {
  LogLevel level{LogLevel::info};
  /// Lines per second of one event name; 0: no limit. A peer that misbehaves must not fill a disk.
  std::uint32_t event_lines_per_second_max{20};
};

/// Binds the section [log].
void describe(config::OptionSet& set, LogOptions& options);

class Logger {
 public:
  /// Writes to stderr. `process` is the name in each line.
  Logger(const LogOptions& options, std::string process);

  struct Seams {
    std::function<void(std::string_view line)> write;  ///< Without a line end.
    std::function<Time()> now;
    std::function<std::int64_t()> wall_clock_ms;
  };
  /// For tests.
  Logger(const LogOptions& options, std::string process, Seams seams);

  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  using Fields = std::initializer_list<LogField>;
  void error(std::string_view event, Fields fields = {}) { log(LogLevel::error, event, fields); }
  void warn(std::string_view event, Fields fields = {}) { log(LogLevel::warn, event, fields); }
  void info(std::string_view event, Fields fields = {}) { log(LogLevel::info, event, fields); }
  void debug(std::string_view event, Fields fields = {}) { log(LogLevel::debug, event, fields); }

  bool enabled(LogLevel level) const { return level <= level_; }
  void log(LogLevel level, std::string_view event, std::span<const LogField> fields);

 private:
  class Lines;

  LogLevel level_;
  std::unique_ptr<Lines> lines_;
};

}  // namespace framefleet::telemetry
