#pragma once
// The shell of `framefleet run` and `framefleet cost`: performs what the Supervisor decides. Holds
// the children, their logs, the producer's progress pipe, the output folder and the fleet's private
// one.
//
// Loop: tick, perform effects, wait until the next deadline or for a signal, a line of the producer
// or a child's end, take in a bounded batch, repeat. Threads: one, this one, for its whole life.

#include "cli/children.hpp"
#include "cli/display.hpp"
#include "cli/fleet_commands.hpp"
#include "cli/folders.hpp"
#include "cli/line_buffer.hpp"
#include "cli/loopback_port.hpp"
#include "cli/run_options.hpp"
#include "cli/run_report.hpp"
#include "cli/scaler.hpp"
#include "cli/supervisor.hpp"

#include "shared/base/result.hpp"
#include "shared/telemetry/signals.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::cli {

class FleetRun {
 public:
  /// `programs`: the folder that the children's programs are looked for in first. `command`: this
  /// very run as a person would type it again.
  FleetRun(const RunOptions& options, std::filesystem::path programs, std::string command,
           const telemetry::Signals& signals);

  /// All but the report; errors are told. Answers the exit code. Called once.
  int run();
  /// To stdout, after run(): what it came to.
  void report();

 private:
  Result<void, Error> prepare();
  Result<FleetEndpoints, Error> make_endpoints();
  Result<void, Error> check_detectors();
  void supervise();
  int conclude();

  void perform();
  void start(const ChildName& name);
  void wait();
  void take_signals();
  void take_progress();
  void take_line(const std::string& line);
  void take_plan(const PlanEvent& plan);
  void reap_children();
  void close_books();
  std::string excerpt_of(const ChildName& name) const;

  RunOptions options_;
  std::filesystem::path programs_;
  const telemetry::Signals& signals_;
  telemetry::StopRequest stop_;
  Display display_;
  Supervisor supervisor_;
  SupervisorEffects effects_;

  std::optional<RunFolder> out_;
  std::optional<PrivateFolder> socket_folder_;
  std::optional<LoopbackPort> port_;  ///< tcp.
  std::optional<FleetCommands> commands_;
  std::optional<Scaler> scaler_;  ///< Where the number of workers changes.
  Children children_;
  std::map<std::string, std::uint64_t> log_offsets_;  ///< Where each child's latest life began.

  FileDescriptor progress_;  ///< Read end; closed at its end.
  LineBuffer lines_;
  std::uint64_t bad_lines_{0};

  RunReport report_;
  Time planned_at_{};
};

}  // namespace framefleet::cli
