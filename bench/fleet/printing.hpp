#pragma once
// What was measured, as a table for people and as JSON lines for programs. Pure; threads: any.

#include <string>

#include "bench/fleet/backlog.hpp"
#include "bench/fleet/rounds.hpp"
#include "bench/fleet/scaling.hpp"
#include "bench/fleet/workload.hpp"

namespace framefleet::bench {

/// The table of a workload, who is absent, and what came of its targets.
std::string as_text(const Workload& workload, const Standings& standings);

/// One run, a line.
std::string run_line(const Workload& workload, const BenchOptions& options,
                     const std::string& contestant, std::uint32_t round, const RunFigures& run);
/// Who is absent, and each verdict: lines.
std::string verdict_lines(const Workload& workload, const Standings& standings);

/// What becomes of the pace with more workers and more sources.
std::string as_text(const ScaleFigures& figures);
std::string scale_line(const FleetSize& size, const BenchOptions& options, std::uint32_t round,
                       const RunFigures& run);
std::string scale_verdict_line(const ScaleFigures& figures);

/// What a backlog costs.
std::string as_text(const BacklogFigures& backlog);
std::string backlog_lines(const BacklogFigures& backlog);

}  // namespace framefleet::bench
