#include "shared/telemetry/program.hpp"

#include "shared/config/load.hpp"
#include "shared/config/version.hpp"
#include "shared/processes/heap.hpp"
#include "shared/telemetry/monotonic.hpp"
#include "shared/telemetry/process_metrics.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace framefleet::telemetry {
namespace {

constexpr std::size_t kHostBytesMax = 64;
/// Of freed memory, for what comes next: some hundred pictures of a camera.
constexpr std::size_t kFreedBytesKept = 32 << 20;
/// Given back at a time, beyond that: 2.5 ms of the system's time (heap.hpp).
constexpr std::size_t kGivenBackBytes = 32 << 20;
constexpr Duration kGivingBackInterval = std::chrono::seconds{1};

void log_start(Logger& log, const config::OptionSet& set, const config::Outcome& outcome) {
  log.info("starting", {{"version", config::version()},
                        {"build", config::build()},
                        {"pid", std::int64_t{::getpid()}}});
  const auto values = config::effective_values(set);
  std::vector<LogField> changed;
  for (const auto& value : values) {
    if (value.origin != "default") changed.push_back({value.name, value.value});
  }
  log.log(LogLevel::info, "options", changed);
  for (const auto& warning : outcome.warnings) log.warn("option_ignored", {{"text", warning}});
}

Result<int, Error> run_steps(const config::OptionSet& set, const ProgramOptions& options,
                             const ProgramSteps& steps, Signals& signals, Logger& log) {
  if (steps.before_threads) {
    if (auto ready = steps.before_threads(log); !ready) return fail(std::move(ready.error()));
  }
  Health health;
  health.turned(monotonic_now());  // Until the loop has turned, its start counts as a turn.
  auto http = HttpServer::start(options.metrics, health);
  if (!http) return fail(std::move(http.error()));
  (*http)->add(std::make_shared<ProcessMetrics>(set.program()));
  if ((*http)->port() != 0) {
    log.info("metrics_listening", {{"listen", options.metrics.listen}, {"port", (*http)->port()}});
  }
  Program program{.log = log, .signals = signals, .health = health, .http = **http};
  return steps.run(program);
}

}  // namespace

void Program::turned(Time now) {
  health.turned(now);
  if (now < memory_due) return;
  memory_due = now + kGivingBackInterval;
  give_back_freed_memory(kFreedBytesKept, kGivenBackBytes);
}

void describe(config::OptionSet& set, ProgramOptions& options) {
  describe(set, options.log);
  describe(set, options.metrics);
}

std::string own_place() {
  std::array<char, kHostBytesMax + 1> host{};
  ::gethostname(host.data(), kHostBytesMax);
  const std::string process = std::to_string(::getpid());
  return host.front() == '\0' ? process : std::string(host.data()) + "-" + process;
}

std::string own_name(std::string_view noun) { return std::string(noun) + "-" + own_place(); }

int run_program(int argc, const char* const* argv, config::OptionSet& set, ProgramOptions& options,
                const ProgramSteps& steps) {
  const config::Outcome outcome = config::load(set, argc, argv);
  if (!outcome.run()) {
    config::print(outcome);
    return *outcome.exit_code;
  }
  Logger log{options.log, set.program()};
  int code = exit_code::kInternal;
  try {
    Signals signals = Signals::block();  // Whoever has read that we start may tell us to end.
    log_start(log, set, outcome);
    const auto result = run_steps(set, options, steps, signals, log);
    if (result) {
      code = *result;
    } else {
      code = result.error().exit_code;
      log.error("failed", {{"text", result.error().text}});
    }
  } catch (const std::exception& error) {
    log.error("failed", {{"text", error.what()}});
  }
  log.info("ended", {{"exit_code", code}});
  return code;
}

}  // namespace framefleet::telemetry
