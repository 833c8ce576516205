#include "bench/fleet/printing.hpp"

#include "cli/table.hpp"

#include "shared/telemetry/cpus.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "bench/figures/quantiles.hpp"
#include "bench/fleet/picture_contestants.hpp"

namespace framefleet::bench {
namespace {

constexpr double kMega = 1e6;
constexpr double kMilli = 1e3;  // microseconds of a millisecond
/// Of RunFigures::latency_us, in lines.
constexpr std::array kTailNames{"p50", "p99", "p99.9"};

template <typename Value>
double median_of(const std::vector<RunFigures>& runs, const Value& value) {
  std::vector<double> values;
  for (const auto& run : runs) values.push_back(value(run));
  return median(std::move(values));
}

const char* words_for(Transport transport) { return transport == Transport::tcp ? "tcp" : "ipc"; }

/// What every run of every workload has.
void note_run(const RunFigures& run, nlohmann::json& line) {
  line["tasks"] = run.tasks;
  line["tasks_per_s"] = run.per_second;
  for (std::size_t i = 0; i < kTailNames.size(); ++i) {
    line["latency_us"][kTailNames[i]] = run.latency_us.at(i);
  }
  for (const auto& each : run.processes) {
    line["cpu_us_per_task"][each.process] = each.cpu_us;
    line["peak_bytes"][each.process] = each.peak_bytes;
  }
}

/// "producer 3.1, broker 12, worker 8.0": CPU of a task.
std::string by_process(const std::vector<RunFigures>& runs) {
  std::string text;
  const auto& processes = runs.front().processes;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    const double us =
        median_of(runs, [i](const RunFigures& run) { return run.processes.at(i).cpu_us; });
    text += fmt::format("{}{} {:.1f}", i == 0 ? "" : ", ", processes[i].process, us);
  }
  return text;
}

std::string peak_mb(const Standing& standing) {
  return fmt::format("{:.0f}", median_of(standing.runs, [](const RunFigures& run) {
                       return static_cast<double>(run.peak_bytes()) / kMega;
                     }));
}

/// The cells of p50, p99 and p99.9, in `unit_us`.
std::vector<std::string> tail_cells(const std::vector<RunFigures>& runs, double unit_us) {
  std::vector<std::string> cells;
  for (std::size_t i = 0; i < kTailNames.size(); ++i) {
    const double us = median_of(runs, [i](const RunFigures& run) { return run.latency_us.at(i); });
    cells.push_back(fmt::format("{:.0f}", us / unit_us));
  }
  return cells;
}

std::string table_of(const Workload& workload, const Standings& standings) {
  const bool open = workload.per_second > 0;
  cli::Table table({{.heading = "", .align = cli::Align::left, .columns_max = 22},
                    {.heading = "tasks/s"},
                    {.heading = "p50 us"},
                    {.heading = "p99 us"},
                    {.heading = "p99.9 us"},
                    {.heading = open ? "p50 ours/" : "ours/"},
                    {.heading = "CPU us"},
                    {.heading = "MB/s"},
                    {.heading = "peak MB"},
                    {.heading = "of the CPU us", .align = cli::Align::left, .columns_max = 80}});
  for (const auto& each : standings.all) {
    const double pace = median_of(each.runs, [](const RunFigures& run) { return run.per_second; });
    std::vector<std::string> cells{each.name, fmt::format("{:.0f}", pace)};
    for (auto& cell : tail_cells(each.runs, 1)) cells.push_back(std::move(cell));
    const auto measure = open ? Measure::p50 : Measure::pace;
    cells.push_back(fmt::format("{:.3f}", ratio(standings.all.front(), each, measure)));
    cells.push_back(fmt::format(
        "{:.1f}", median_of(each.runs, [](const RunFigures& run) { return run.cpu_us(); })));
    cells.push_back(fmt::format("{:.1f}", pace * static_cast<double>(workload.bytes) / kMega));
    cells.push_back(peak_mb(each));
    cells.push_back(by_process(each.runs));
    table.add(std::move(cells));
  }
  return table.render();
}

std::string picture_table_of(const Standings& standings) {
  const auto cpus = telemetry::usable_cpus();
  const auto loop = std::find_if(standings.all.begin(), standings.all.end(),
                                 [](const Standing& each) { return each.name == kPlainLoop; });
  cli::Table table({{.heading = "", .align = cli::Align::left, .columns_max = 22},
                    {.heading = "pictures/s"},
                    {.heading = fmt::format("/ {} loops", cpus)},
                    {.heading = "ours/"},
                    {.heading = "wall s"},
                    {.heading = "p50 ms"},
                    {.heading = "p99 ms"},
                    {.heading = "p99.9 ms"},
                    {.heading = "CPU ms"},
                    {.heading = "peak MB"},
                    {.heading = "detections"}});
  for (const auto& each : standings.all) {
    const auto pace = median_of(each.runs, [](const RunFigures& run) { return run.per_second; });
    const auto wall_s = median_of(each.runs, [](const RunFigures& run) { return run.wall_s; });
    const auto cpu_us = median_of(each.runs, [](const RunFigures& run) { return run.cpu_us(); });
    const auto tail = tail_cells(each.runs, kMilli);
    table.add({each.name, fmt::format("{:.2f}", pace),
               loop == standings.all.end()
                   ? "-"
                   : fmt::format("{:.3f}", ratio(each, *loop, Measure::pace) / cpus),
               fmt::format("{:.3f}", ratio(standings.all.front(), each, Measure::pace)),
               fmt::format("{:.2f}", wall_s), tail.at(0), tail.at(1), tail.at(2),
               fmt::format("{:.1f}", cpu_us / kMilli), peak_mb(each),
               std::to_string(each.runs.front().detections)});
  }
  return table.render() + "CPU us of framefleet's: " + by_process(standings.all.front().runs) +
         "\n";
}

std::string verdict_line(const Verdict& verdict) {
  const auto& target = verdict.target;
  nlohmann::json line{{"workload", target.workload},
                      {"target", target.what},
                      {"bound", target.bound == Bound::at_least ? "at least" : "at most"},
                      {"wanted", target.value},
                      {"met", verdict.met()}};
  if (verdict.measured) line["measured"] = *verdict.measured;
  return line.dump() + "\n";
}

}  // namespace

std::string as_text(const Workload& workload, const Standings& standings) {
  const auto rounds = standings.all.front().runs.size();
  std::string text = fmt::format("{}: medians of {} rounds, ", workload.name, rounds);
  if (workload.pictures > 0) {
    text += "JPEGs of 1280x720, edges,corners,faces\n\n" + picture_table_of(standings);
  } else {
    text +=
        fmt::format("payloads of {} bytes\n\n{}", workload.bytes, table_of(workload, standings));
  }
  for (const auto& [name, why] : standings.absent) {
    text += fmt::format("absent: {}: {}\n", name, why);
  }
  text += "\n";
  for (const auto& verdict : verdicts(workload, standings)) text += verdict.line() + "\n";
  return text + "\n";
}

std::string run_line(const Workload& workload, const BenchOptions& options,
                     const std::string& contestant, std::uint32_t round, const RunFigures& run) {
  nlohmann::json line{{"workload", workload.name},
                      {"contestant", contestant},
                      {"round", round},
                      {"transport", words_for(options.transport)},
                      {"durable", workload.durable}};
  if (workload.per_second > 0) line["rate"] = workload.per_second;
  if (workload.pictures > 0) {
    line["wall_s"] = run.wall_s;
    line["detections"] = run.detections;
  } else {
    line["payload_bytes"] = workload.bytes;
  }
  note_run(run, line);
  return line.dump() + "\n";
}

std::string verdict_lines(const Workload& workload, const Standings& standings) {
  std::string lines;
  for (const auto& [name, why] : standings.absent) {
    lines +=
        nlohmann::json{{"workload", workload.name}, {"contestant", name}, {"absent", why}}.dump() +
        "\n";
  }
  for (const auto& verdict : verdicts(workload, standings)) lines += verdict_line(verdict);
  return lines;
}

std::string as_text(const ScaleFigures& figures) {
  cli::Table table({{.heading = "workers"},
                    {.heading = "sources"},
                    {.heading = "tasks/s"},
                    {.heading = "p50 us"},
                    {.heading = "p99 us"},
                    {.heading = "p99.9 us"},
                    {.heading = "broker us"},
                    {.heading = "broker peak MB"},
                    {.heading = "of the CPU us", .align = cli::Align::left, .columns_max = 80}});
  for (const auto& [size, runs] : figures.points) {
    const auto of_broker = [&runs = runs](const auto& value) {
      return median_of(runs, [&](const RunFigures& run) { return value(*run.broker()); });
    };
    const auto tail = tail_cells(runs, 1);
    table.add(
        {fmt::format("{}", size.workers), fmt::format("{}", size.sources),
         fmt::format("{:.0f}", median_of(runs, [](const auto& run) { return run.per_second; })),
         tail.at(0), tail.at(1), tail.at(2),
         fmt::format("{:.1f}", of_broker([](const auto& broker) { return broker.cpu_us; })),
         fmt::format("{:.1f}", of_broker([](const auto& broker) {
                       return static_cast<double>(broker.peak_bytes) / kMega;
                     })),
         by_process(runs)});
  }
  return fmt::format("scale, workers and sources: medians of {} rounds, payloads of {} bytes\n\n{}",
                     figures.points.front().runs.size(), kScalingBytes, table.render()) +
         "\n" + figures.verdict().line() + "\n\n";
}

std::string scale_line(const FleetSize& size, const BenchOptions& options, std::uint32_t round,
                       const RunFigures& run) {
  nlohmann::json line{{"workload", to_string(size.axis)},
                      {"contestant", "framefleet"},
                      {"workers", size.workers},
                      {"sources", size.sources},
                      {"round", round},
                      {"transport", words_for(options.transport)},
                      {"payload_bytes", kScalingBytes}};
  note_run(run, line);
  return line.dump() + "\n";
}

std::string scale_verdict_line(const ScaleFigures& figures) {
  return verdict_line(figures.verdict());
}

std::string as_text(const BacklogFigures& backlog) {
  return fmt::format(
      "scale, backlog: {} tasks that wait, {:.0f} bytes of the broker each beside "
      "their payload; {:.0f} admitted a second\n\n{}\n\n",
      backlog.tasks, backlog.bytes_per_task, backlog.per_second, backlog.verdict().line());
}

std::string backlog_lines(const BacklogFigures& backlog) {
  return nlohmann::json{{"workload", "scale, backlog"},
                        {"tasks", backlog.tasks},
                        {"bytes_per_task", backlog.bytes_per_task},
                        {"admitted_per_s", backlog.per_second}}
             .dump() +
         "\n" + verdict_line(backlog.verdict());
}

}  // namespace framefleet::bench
