#include "cli/run_report.hpp"

#include "cli/humane.hpp"
#include "cli/progress_line.hpp"

#include "shared/base/result.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace framefleet::cli {
namespace {

using Lines = std::back_insert_iterator<std::string>;

/// Also where nobody knows how many pictures there are.
/// Of a source that may grow nobody knows how many there are: its producer says when all that came
/// was done.
bool something_is_left(const RunReport& report) {
  const bool complete = report.end && !report.end->interrupted && !report.counters().left();
  return !complete && report.counters().left() != 0U;
}

std::uint64_t in_progress(const EndEvent& end) {
  const std::uint64_t settled = end.counters.settled();
  return end.admitted > settled ? end.admitted - settled : 0;
}

std::string headline(const RunReport& report) {
  const Counters& counters = report.counters();
  const std::uint64_t now = counters.settled() + counters.rejected;
  std::string line = report.job.empty() ? std::string("no job was started")
                                        : "job " + printable(report.job) + ": ";
  if (report.job.empty()) return line;
  line += now == 0 && counters.stored_before > 0
              ? "nothing was left to do"
              : fmt::format("{} pictures in {} ({:.1f}/s)", count_text(now),
                            clock_text(report.wall), report.per_second());
  if (counters.stored_before > 0) {
    line += fmt::format(", {} stored before", count_text(counters.stored_before));
  }
  if (report.skipped > 0) {
    line += fmt::format("; {} other files skipped", count_text(report.skipped));
  }
  return line;
}

void write_results(const RunReport& report, Lines out) {
  const char* label = "results";
  for (const std::string& result : report.results) {
    fmt::format_to(out, "{:<10}{}\n", label, printable(result));
    label = "";
  }
}

void write_ledger(const RunReport& report, Lines out) {
  if (!report.end) {
    const Counters& c = report.last_counters;
    fmt::format_to(out,
                   "{:<10}unknown: the producer did not report its end; last heard: {} ok, "
                   "{} not ok, {} in flight\n",
                   "ledger", c.ok, c.not_ok(), c.in_flight);
  } else {
    const Counters& c = report.end->counters;
    fmt::format_to(out, "{:<10}{} submitted = {} rejected + {} admitted\n", "ledger",
                   report.end->submitted, c.rejected, report.end->admitted);
    fmt::format_to(
        out,
        "{:<10}{} admitted = {} ok + {} failed + {} expired + {} superseded + {} cancelled"
        " + {} lost + {} in progress\n",
        "", report.end->admitted, c.ok, c.failed, c.expired, c.superseded, c.cancelled, c.lost,
        in_progress(*report.end));
  }
  if (!report.store) {
    if (!report.store_error.empty()) {
      fmt::format_to(out, "{:<10}the store could not be read: {}\n", "", report.store_error);
    }
  } else if (report.stored_at_start) {
    fmt::format_to(
        out, "{:<10}{} in the store = {} before + {} of this run\n", "", report.store->total(),
        *report.stored_at_start,
        report.store->total() - std::min(report.store->total(), *report.stored_at_start));
  }
}

void write_detectors(const sink::Report& store, Lines out) {
  if (store.detectors.empty()) return;
  std::size_t width = std::string_view("detector").size();
  for (const auto& row : store.detectors) width = std::max(width, row.detector.size());
  fmt::format_to(out, "\n{:<{}}  {:>10}  {:>10}  {:>9}  {:>9}\n", "detector", width, "pictures",
                 "detections", "mean ms", "p95 ms");
  for (const auto& row : store.detectors) {
    fmt::format_to(out, "{:<{}}  {:>10}  {:>10}  {:>9.1f}  {:>9.1f}\n", row.detector, width,
                   row.pictures, row.detections, row.mean_ms, row.p95_ms);
  }
  if (store.damaged > 0) {
    fmt::format_to(out, "{} of the pictures are damaged: worked on as far as their bytes go\n",
                   count_text(store.damaged));
  }
}

void write_failed(const sink::Report& store, Lines out) {
  if (store.failed_total == 0) return;
  fmt::format_to(out, "\n{} failed:\n", count_text(store.failed_total));
  std::uint64_t listed = 0;
  for (const auto& task : store.failed) {
    if (listed == kFailedListedMax) break;
    fmt::format_to(out, "  {}: {}{}{}\n", printable(task.origin), task.reason,
                   task.text.empty() ? "" : ": ", printable(task.text));
    ++listed;
  }
  if (store.failed_total > listed) {
    fmt::format_to(out,
                   "  and {} more: select origin, reason, text from outcomes where status = "
                   "'failed'\n",
                   count_text(store.failed_total - listed));
  }
}

void write_trouble(const RunReport& report, Lines out) {
  for (const auto& [child, restarts] : report.restarts) {
    fmt::format_to(out, "\n{} was restarted {} time{}: {}/{}.log", to_string(child), restarts,
                   restarts == 1 ? "" : "s", report.logs, to_string(child));
  }
  for (const ChildName& child : report.verdict.killed) {
    fmt::format_to(out, "\n{} did not leave in time and was killed: {}/{}.log", to_string(child),
                   report.logs, to_string(child));
  }
  if (!report.restarts.empty() || !report.verdict.killed.empty()) fmt::format_to(out, "\n");
  for (const std::string& problem : audit(report)) {
    fmt::format_to(out, "\nTHE LEDGER DOES NOT BALANCE: {}\n", problem);
  }
  const bool unfinished = report.verdict.interrupted || !report.verdict.cause.empty();
  if (unfinished && !report.job.empty() && something_is_left(report)) {
    const char* what = report.verdict.interrupted ? "interrupted" : "not finished";
    const auto left = report.counters().left();
    fmt::format_to(out, "\n{}{}; the same command continues where this stopped:\n  {}\n", what,
                   left ? fmt::format(", {} pictures left", count_text(*left)) : std::string{},
                   report.continue_command);
  }
}

nlohmann::json ledger_json(const RunReport& report) {
  const Counters& c = report.counters();
  nlohmann::json ledger{{"stored_before", c.stored_before},
                        {"rejected", c.rejected},
                        {"ok", c.ok},
                        {"failed", c.failed},
                        {"expired", c.expired},
                        {"superseded", c.superseded},
                        {"cancelled", c.cancelled},
                        {"lost", c.lost},
                        {"in_flight", c.in_flight},
                        {"complete", report.end.has_value()}};
  if (c.pictures) ledger["pictures"] = *c.pictures;
  if (report.end) {
    ledger["submitted"] = report.end->submitted;
    ledger["admitted"] = report.end->admitted;
    ledger["in_progress"] = in_progress(*report.end);
  }
  const auto problems = audit(report);
  ledger["balanced"] = problems.empty();
  ledger["problems"] = problems;
  return ledger;
}

nlohmann::json store_json(const RunReport& report) {
  if (!report.store) return nullptr;
  const sink::Report& store = *report.store;
  nlohmann::json by_status;
  for (std::size_t status = 0; status < kStatusCount; ++status) {
    by_status[std::string(to_string(static_cast<Status>(status)))] = store.by_status.at(status);
  }
  nlohmann::json detectors = nlohmann::json::array();
  for (const auto& row : store.detectors) {
    detectors.push_back({{"detector", row.detector},
                         {"pictures", row.pictures},
                         {"detections", row.detections},
                         {"mean_ms", row.mean_ms},
                         {"p95_ms", row.p95_ms}});
  }
  nlohmann::json failed = nlohmann::json::array();
  for (const auto& task : store.failed) {
    failed.push_back({{"task", task.task},
                      {"origin", task.origin},
                      {"reason", task.reason},
                      {"text", task.text}});
  }
  return {{"outcomes", by_status}, {"damaged", store.damaged},           {"detectors", detectors},
          {"failed", failed},      {"failed_total", store.failed_total}, {"total", store.total()}};
}

}  // namespace

double RunReport::per_second() const {
  const double elapsed = seconds(wall);
  const std::uint64_t pictures = counters().settled() + counters().rejected;
  return elapsed > 0 ? static_cast<double>(pictures) / elapsed : 0;
}

std::vector<std::string> audit(const RunReport& report) {
  std::vector<std::string> problems;
  if (!report.end) return problems;
  const EndEvent& end = *report.end;
  const Counters& c = end.counters;
  if (end.submitted != c.rejected + c.settled() + c.in_flight) {
    problems.push_back(
        fmt::format("{} were submitted, but {} rejected, {} settled and {} in flight",
                    end.submitted, c.rejected, c.settled(), c.in_flight));
  }
  if (c.in_flight > 0) return problems;  // Cut short: the rest may still be on its way.
  if (end.submitted != c.rejected + end.admitted) {
    problems.push_back(fmt::format("{} were submitted, but {} rejected and {} admitted",
                                   end.submitted, c.rejected, end.admitted));
  }
  if (end.admitted != c.settled()) {
    problems.push_back(fmt::format("{} were admitted, but {} settled", end.admitted, c.settled()));
  }
  if (report.store && report.stored_at_start) {
    // What the journal had of an earlier run was stored in this one, and then found stored before.
    const auto least = *report.stored_at_start + c.settled();
    const auto most = least + (report.has_journal ? c.stored_before : 0);
    if (report.store->total() < least || report.store->total() > most) {
      problems.push_back(fmt::format(
          "the store has {} outcomes of the job; {} were there before and {} settled in this run",
          report.store->total(), *report.stored_at_start, c.settled()));
    }
  }
  return problems;
}

int exit_code_of(const RunReport& report) {
  if (!report.verdict.cause.empty() && report.verdict.exit_code != exit_code::kOk) {
    return report.verdict.exit_code;
  }
  if (!audit(report).empty()) return exit_code::kInternal;
  const bool store_has_failed =
      report.store && report.store->total() != report.store->count(Status::ok);
  const bool cut_short = report.verdict.interrupted && something_is_left(report);
  return store_has_failed || cut_short || report.counters().not_ok() > 0 ? exit_code::kSomeFailed
                                                                         : report.verdict.exit_code;
}

std::string render_text(const RunReport& report) {
  std::string text;
  Lines out = std::back_inserter(text);
  fmt::format_to(out, "{}\n", headline(report));
  if (!report.job.empty()) {
    fmt::format_to(out, "\n");
    write_results(report, out);
    write_ledger(report, out);
    if (report.store) {
      write_detectors(*report.store, out);
      write_failed(*report.store, out);
    }
  }
  write_trouble(report, out);
  return text;
}

std::string render_json(const RunReport& report) {
  nlohmann::json restarts = nlohmann::json::object();
  for (const auto& [child, count] : report.restarts) restarts[to_string(child)] = count;
  nlohmann::json killed = nlohmann::json::array();
  for (const ChildName& child : report.verdict.killed) killed.push_back(to_string(child));
  nlohmann::json object{{"event", "report"},
                        {"exit_code", exit_code_of(report)},
                        {"job", report.job},
                        {"interrupted", report.verdict.interrupted},
                        {"error", report.verdict.cause},
                        {"message", report.message},
                        {"wall_s", seconds(report.wall)},
                        {"pictures_per_s", report.per_second()},
                        {"skipped", report.skipped},
                        {"ledger", ledger_json(report)},
                        {"store", store_json(report)},
                        {"results", report.results},
                        {"logs", report.logs},
                        {"restarts", restarts},
                        {"killed", killed},
                        {"continue", report.continue_command}};
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace framefleet::cli
