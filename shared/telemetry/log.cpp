#include "shared/telemetry/log.hpp"

#include "shared/telemetry/monotonic.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <mutex>
#include <utility>
#include <vector>

namespace framefleet::telemetry {
namespace {

/// "2026-05-01T12:00:00.123Z"
std::string iso_utc(std::int64_t wall_ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds{wall_ms}};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss time{at - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int{date.year()},
                     unsigned{date.month()}, unsigned{date.day()}, time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

Logger::Seams to_stderr() {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto lines = std::make_shared<spdlog::logger>("framefleet", std::move(sink));
  // The line is complete as it comes: stamp, level and process are part of it.
  lines->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
  lines->flush_on(spdlog::level::trace);
  return {
      .write = [lines](std::string_view line) { lines->info("{}", line); },
      .now = monotonic_now,
      .wall_clock_ms = wall_clock_ms,
  };
}

}  // namespace

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "error";
    case LogLevel::warn:
      return "warn";
    case LogLevel::info:
      return "info";
    case LogLevel::debug:
      return "debug";
  }
  return "error";
}

void describe(config::OptionSet& set, LogOptions& options) {
  set.section("log", "What is written to stderr.", config::FlagStyle::section_and_key)
      .add("level", options.level,
           {.help = "error: an operator must act; warn: degraded but handled; info: life of the "
                    "process; debug: every task.",
            .words = {{"error", LogLevel::error},
                      {"warn", LogLevel::warn},
                      {"info", LogLevel::info},
                      {"debug", LogLevel::debug}}})
      .add(
          "event_lines_per_second_max", options.event_lines_per_second_max,
          {.help = "Lines of one event in one second; more are counted and held back. 0: no limit.",
           .max = 1'000'000});
}

/// Who may write, and the writing: one line at a time.
class Logger::Lines {
 public:
  Lines(std::uint32_t per_second, std::string process, Seams seams)
      : limit_(per_second), process_(std::move(process)), seams_(std::move(seams)) {}

  void add(LogLevel level, std::string_view event, std::span<const LogField> fields) {
    const std::lock_guard lock{mutex_};
    const Time now = seams_.now();
    const auto verdict = limit_.judge(event, now);
    if (now - told_at_ >= std::chrono::seconds{1}) tell_suppressed(now);
    if (!verdict.write) return;
    if (verdict.suppressed == 0) return write(level, event, fields);
    std::vector<LogField> all(fields.begin(), fields.end());
    all.push_back({"suppressed", verdict.suppressed});
    write(level, event, all);
  }

  void tell_the_rest() {
    const std::lock_guard lock{mutex_};
    tell_suppressed(kNever);
  }

 private:
  void tell_suppressed(Time now) {
    told_at_ = now;
    for (const auto& [event, count] : limit_.take_suppressed(now)) {
      const LogField fields[] = {{"of", event}, {"suppressed", count}};
      write(LogLevel::warn, "log_suppressed", fields);
    }
  }

  void write(LogLevel level, std::string_view event, std::span<const LogField> fields) {
    seams_.write(fmt::format("{} {} {} {}", iso_utc(seams_.wall_clock_ms()), to_string(level),
                             process_, log_line(event, fields)));
  }

  std::mutex mutex_;
  EventRateLimit limit_;
  std::string process_;
  Seams seams_;
  Time told_at_{};
};

Logger::Logger(const LogOptions& options, std::string process)
    : Logger(options, std::move(process), to_stderr()) {}

Logger::Logger(const LogOptions& options, std::string process, Seams seams)
    : level_(options.level),
      lines_(std::make_unique<Lines>(options.event_lines_per_second_max, std::move(process),
                                     std::move(seams))) {}

Logger::~Logger() { lines_->tell_the_rest(); }

void Logger::log(LogLevel level, std::string_view event, std::span<const LogField> fields) {
  if (enabled(level)) lines_->add(level, event, fields);
}

}  // namespace framefleet::telemetry
