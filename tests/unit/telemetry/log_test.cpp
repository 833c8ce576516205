#include "shared/telemetry/log.hpp"

#include "tests/support/catch.hpp"

#include "shared/config/load.hpp"

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace framefleet;
using namespace framefleet::telemetry;
using namespace std::chrono_literals;

namespace {

std::string line_of(std::initializer_list<LogField> fields) { return log_line("event", fields); }

/// A logger whose lines are kept and whose clocks stand where the test puts them.
struct Recorded {
  Time now{Time{1000s}};
  std::vector<std::string> lines;
  LogOptions options;

  Logger logger() {
    return Logger{options,
                  "sample",
                  {.write = [this](std::string_view line) { lines.emplace_back(line); },
                   .now = [this] { return now; },
                   .wall_clock_ms = [] { return std::int64_t{1'777'636'800'123}; }}};
  }
};

}  // namespace

TEST_CASE("values of every kind have one spelling") {
  CHECK(line_of({}) == "event");
  CHECK(line_of({{"peer", 7}, {"bytes", std::uint64_t{1} << 63U}, {"delta", std::int8_t{-3}}}) ==
        "event peer=7 bytes=9223372036854775808 delta=-3");
  CHECK(line_of({{"role", "worker"}, {"name", std::string("a/b.jpg")}, {"on", true}}) ==
        "event role=worker name=a/b.jpg on=true");
  CHECK(line_of({{"score", 0.5}}) == "event score=0.5");
  CHECK(line_of({{"wait", Duration{250ms}}, {"long", Duration{90min}}, {"short", Duration{1us}}}) ==
        "event wait=0.250s long=5400.000s short=0.000s");
}

TEST_CASE("one event is one line, whatever its texts hold") {
  CHECK(line_of({{"text", ""}}) == "event text=\"\"");
  CHECK(line_of({{"text", "two words"}}) == "event text=\"two words\"");
  CHECK(line_of({{"text", "a=b"}}) == "event text=\"a=b\"");
  CHECK(line_of({{"text", "say \"hi\""}}) == R"(event text="say \"hi\"")");
  CHECK(line_of({{"text", "a\\b"}}) == R"(event text="a\\b")");
  CHECK(line_of({{"text", "a\nb\r\tc"}}) == R"(event text="a\nb\r\tc")");
  CHECK(line_of({{"text", std::string_view{"\0\x1B[31m\x7F", 7}}}) ==
        R"(event text="\u0000\u001b[31m\u007f")");
  CHECK(line_of({{"text", "grün"}}) == "event text=grün");
}

TEST_CASE("a long text is cut between characters and says so") {
  const std::string line = line_of({{"text", std::string(1023, 'x') + "ü" + "yyy"}});
  CHECK(line == "event text=\"" + std::string(1023, 'x') + "…\"");
  CHECK(line_of({{"text", std::string(1024, 'x')}}) == "event text=" + std::string(1024, 'x'));
}

TEST_CASE("a line starts with the time in UTC, the level and the process") {
  Recorded recorded;
  recorded.logger().warn("peer_gone", {{"peer", 7}});
  CHECK(recorded.lines ==
        std::vector<std::string>{"2026-05-01T12:00:00.123Z warn sample peer_gone peer=7"});
}

TEST_CASE("only the chosen level and what is more urgent is written") {
  Recorded recorded;
  recorded.options.level = LogLevel::warn;
  Logger log = recorded.logger();
  log.error("a");
  log.warn("b");
  log.info("c");
  log.debug("d");
  CHECK(recorded.lines.size() == 2);
  CHECK(log.enabled(LogLevel::error));
  CHECK_FALSE(log.enabled(LogLevel::info));
}

TEST_CASE("an event past its rate is held back, and its next line tells how often") {
  EventRateLimit limit{2};
  const Time start{10s};
  CHECK(limit.judge("a", start).write);
  CHECK(limit.judge("a", start).write);
  CHECK_FALSE(limit.judge("a", start).write);
  CHECK_FALSE(limit.judge("a", start + 999ms).write);
  CHECK(limit.judge("b", start).write);  // Each event has its own.

  const auto verdict = limit.judge("a", start + 1s);
  CHECK(verdict.write);
  CHECK(verdict.suppressed == 2);
  CHECK(limit.judge("a", start + 1s).suppressed == 0);
}

TEST_CASE("an event that went silent is told by another line once its second is over") {
  Recorded recorded;
  recorded.options.event_lines_per_second_max = 1;
  Logger log = recorded.logger();
  log.info("noise");
  log.info("noise");
  log.info("noise");
  CHECK(recorded.lines.size() == 1);
  recorded.now += 1s;
  log.info("other");
  REQUIRE(recorded.lines.size() == 3);
  CHECK(recorded.lines[1].ends_with(" warn sample log_suppressed of=noise suppressed=2"));
  log.info("other");
  recorded.now += 1s;
  log.info("other");
  CHECK(recorded.lines.back().ends_with("info sample other suppressed=1"));
}

TEST_CASE("what is still held back at the end is told then") {
  Recorded recorded;
  recorded.options.event_lines_per_second_max = 1;
  {
    Logger log = recorded.logger();
    log.info("noise");
    log.info("noise");
  }
  CHECK(recorded.lines.back().ends_with("log_suppressed of=noise suppressed=1"));
}

TEST_CASE("a rate of 0 is no limit") {
  EventRateLimit limit{0};
  for (int i = 0; i < 1000; ++i) CHECK(limit.judge("a", Time{1s}).write);
}

TEST_CASE("events without end in number share one window, so that memory has an end") {
  EventRateLimit limit{1};
  std::size_t written = 0;
  for (int i = 0; i < 2000; ++i) {
    if (limit.judge("event" + std::to_string(i), Time{1s}).write) ++written;
  }
  CHECK(written == 513);
  CHECK(limit.take_suppressed(kNever).size() == 1);
}

TEST_CASE("threads write whole lines") {
  Recorded recorded;
  recorded.options.event_lines_per_second_max = 0;
  Logger log = recorded.logger();
  {
    std::vector<std::jthread> threads;
    threads.reserve(3);
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&log, t] {
        for (int i = 0; i < 500; ++i) log.info("turn", {{"thread", t}, {"i", i}});
      });
    }
  }
  CHECK(recorded.lines.size() == 1500);
  CHECK(std::ranges::all_of(recorded.lines, [](const std::string& line) {
    return line.starts_with("2026-05-01T12:00:00.123Z info sample turn thread=");
  }));
}

TEST_CASE("the log's options stand in the section log") {
  LogOptions options;
  config::OptionSet set{"sample", "Logs."};
  describe(set, options);
  CHECK(config::load(set, {"--log-level", "loud"}, {}).err ==
        "--log-level: log.level: \"loud\" is not one of the words; allowed: error, warn, info, "
        "debug\n");
  REQUIRE(config::load(set, {"--log-level", "debug"}, {{"FRAMEFLEET_LOG_LEVEL", "error"}}).run());
  CHECK(options.level == LogLevel::debug);
}
