#pragma once
// The frame of every main: options, log, signals, the HTTP window and one try around all, so that
// two mains differ in their nouns alone.

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"
#include "shared/config/option_set.hpp"
#include "shared/telemetry/health.hpp"
#include "shared/telemetry/http_server.hpp"
#include "shared/telemetry/log.hpp"
#include "shared/telemetry/signals.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace framefleet::telemetry {

struct ProgramOptions {
  LogOptions log;
  MetricsOptions metrics;
};

/// Binds the sections [log] and [metrics].
void describe(config::OptionSet& set, ProgramOptions& options);

/// What a process has before its own work begins. Lives until that has ended.
struct Program {
  Logger& log;
  Signals& signals;
  Health& health;
  HttpServer& http;
  Time memory_due{};  ///< When turned() looks for memory to give back.

  /// For each turn of the loop: it is alive, and what was a backlog once goes back to the system.
  void turned(Time now);
};

/// The two things a process does itself.
struct ProgramSteps {
  /// Optional; runs before any thread exists (a worker starts its children here).
  std::function<Result<void, Error>(Logger&)> before_threads{};
  /// Constructs the shell and runs its loop; answers the exit code.
  std::function<Result<int, Error>(Program&)> run{};
};

/// "worker-HOST-PID", for a process that was given no name: containers differ in their host's name
/// alone, and one that is started again keeps it.
std::string own_name(std::string_view noun);
/// "HOST-PID": which process on which machine.
std::string own_place();

/// Loads the options (and answers --help and its kind), logs the version and every option that is
/// not at its default, blocks the signals, starts the HTTP window and runs the steps. An Error or
/// an exception becomes one log line and its exit code (exception: 70).
int run_program(int argc, const char* const* argv, config::OptionSet& set, ProgramOptions& options,
                const ProgramSteps& steps);

}  // namespace framefleet::telemetry
