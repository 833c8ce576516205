#include "cli/fleet_tables.hpp"

#include "cli/humane.hpp"
#include "cli/json_reading.hpp"
#include "cli/progress_line.hpp"
#include "cli/table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace framefleet::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Everything that an admitted task can end as but `ok`.
constexpr std::array kNotOk{"failed", "expired", "superseded", "cancelled", "lost"};
constexpr std::array kInProgress{"ready", "delayed", "leased", "storing"};

Result<Json, std::string> parsed(const std::string& document) {
  auto json = Json::parse(document, nullptr, false);
  if (json.is_object()) return json;
  return fail(std::string("the broker's answer is no JSON object; are both of one version?"));
}

std::string counted(const Json& json, const char* key) {
  const auto value = count(json, key);
  return value ? count_text(*value) : "-";
}

std::string lasted(const Json& json, const char* key) {
  const auto value = number(json, key);
  return value ? humane_duration(*value) : "-";
}

std::string sized(const Json& json, const char* key) {
  const auto value = number(json, key);
  return value ? humane_bytes(*value) : "-";
}

template <class Keys>
std::uint64_t sum(const Json& json, const Keys& keys) {
  std::uint64_t all = 0;
  for (const char* key : keys) all += count(json, key).value_or(0);
  return all;
}

std::string joined(const std::vector<std::string>& words, const char* separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

/// The books of a fleet or a job in three lines.
std::string ledger_lines(const Json& row) {
  const Json account = object(row, "account");
  const Json tasks = object(row, "in_progress");
  std::string text = fmt::format("ledger    {} submitted = {} rejected + {} admitted\n",
                                 counted(account, "submitted"), counted(account, "rejected"),
                                 counted(account, "admitted"));
  text += fmt::format("          {} ok", counted(account, "ok"));
  for (const char* key : kNotOk) text += fmt::format(", {} {}", counted(account, key), key);
  text +=
      fmt::format("\n          {} in progress: {} ready, {} delayed, {} leased, {} unstored\n",
                  count_text(sum(tasks, kInProgress)), counted(tasks, "ready"),
                  counted(tasks, "delayed"), counted(tasks, "leased"), counted(tasks, "storing"));
  return text;
}

std::string state_of_fleet(const Json& status) {
  std::vector<std::string> words;
  if (flag(status, "draining")) words.emplace_back("draining: it takes nothing new and leaves");
  if (flag(status, "paused")) words.emplace_back("paused: nothing is assigned");
  if (flag(status, "workers_dying")) {
    words.emplace_back("WORKERS DIE ONE AFTER THE OTHER");
  }
  if (!flag(status, "sink_connected")) words.emplace_back("no sink: nothing is assigned");
  const auto workers = count(status, "workers");
  if (workers == 0U) {
    words.emplace_back("no worker");
  } else if (workers && workers == count(status, "workers_not_ready")) {
    words.emplace_back("NO WORKER IS READY");
  }
  return words.empty() ? "serving" : joined(words, "; ");
}

std::string state_of_worker(const Json& row) {
  if (flag(row, "draining")) return "draining";
  if (!text(row, "not_ready").empty()) return "not ready";
  return flag(row, "with_suspect") ? "suspect" : "serving";
}

std::string state_of_source(const Json& row) {
  if (flag(row, "paused")) return "paused";
  if (text(row, "owner").empty()) return "gone";
  const auto state = text(row, "state");
  return state.empty() ? "here" : state;
}

std::string state_of_job(const Json& row) {
  if (flag(row, "cancelled")) return "cancelled";
  return flag(row, "finished") ? "finished" : "running";
}

std::string done_of(const Json& row) {
  const Json account = object(row, "account");
  return count_text(count(account, "ok").value_or(0) + sum(account, kNotOk) +
                    count(account, "rejected").value_or(0));
}

std::string rate_of(const Json& row) {
  const auto rate = number(row, "tasks_per_second");
  return rate ? fmt::format("{:.{}f}/s", *rate, *rate < 100 ? 1 : 0) : "-";
}

/// One line of `table` for each row of the list `key`.
template <class Cells>
Rendered list(const std::string& document, const char* key, Table table, Cells cells) {
  const auto json = parsed(document);
  if (!json) return fail(json.error());
  const Json rows = object(*json, key);
  if (!rows.is_array() || rows.empty()) return fmt::format("no {}\n", key);
  for (const Json& row : rows) table.add(cells(row));
  return table.render();
}

}  // namespace

Rendered render_status(const std::string& document) {
  const auto json = parsed(document);
  if (!json) return fail(json.error());
  const Json& status = *json;
  std::string out = fmt::format("state     {}\n", state_of_fleet(status)) + ledger_lines(status);
  out += fmt::format("backlog   {} of pictures", sized(status, "backlog_bytes"));
  if (number(status, "oldest_seconds").value_or(0) > 0) {
    out += fmt::format("; the oldest ready task waits {}", lasted(status, "oldest_seconds"));
  }
  out += fmt::format("\nunstored  {} outcomes, {}\n", counted(status, "unstored"),
                     sized(status, "unstored_bytes"));
  out += fmt::format("workers   {} with {} slots, {} of them free", counted(status, "workers"),
                     counted(status, "slots"), counted(status, "free_slots"));
  if (count(status, "workers_not_ready").value_or(0) > 0) {
    out +=
        fmt::format("; {} not ready: see framefleet workers", counted(status, "workers_not_ready"));
  }
  if (const auto desired = count(status, "desired_workers")) {
    out += fmt::format("; {} needed", count_text(*desired));
  }
  out += '\n';
  if (count(status, "unaccounted").value_or(0) > 0) {
    out +=
        fmt::format("unknown   {} tasks that a broker died with; their producers may come back\n",
                    counted(status, "unaccounted"));
  }
  if (count(status, "suspects").value_or(0) > 0) {
    out += fmt::format("suspects  {} tasks that workers died with\n", counted(status, "suspects"));
  }
  out += fmt::format("sources   {} of {} producers, in {} jobs\n", counted(status, "sources"),
                     counted(status, "producers"), counted(status, "jobs"));
  out += fmt::format("sink      {}\n", flag(status, "sink_connected") ? "connected" : "away");
  return out;
}

Rendered render_workers(const std::string& document) {
  Table table({{"WORKER", Align::left, 18},
               {"STATE", Align::left, 9},
               {"SLOTS"},
               {"TASKS"},
               {"FINISHED"},
               {"MEAN"},
               {"DETECTORS", Align::left, 15}});
  std::string reasons;
  auto rows = list(document, "workers", std::move(table), [&reasons](const Json& row) {
    if (const auto why = text(row, "not_ready"); !why.empty()) {
      reasons += fmt::format("{} is not ready: {}\n", printable(text(row, "name")), printable(why));
    }
    return std::vector<std::string>{text(row, "name"),
                                    state_of_worker(row),
                                    counted(row, "slots"),
                                    counted(row, "leased"),
                                    counted(row, "finished"),
                                    lasted(row, "mean_service_seconds"),
                                    joined(texts(row, "detectors"), ",")};
  });
  if (!rows) return rows;
  return *rows + reasons;
}

Rendered render_sources(const std::string& document) {
  Table table({{"SOURCE", Align::left, 22},
               {"STATE", Align::left, 10},
               {"ADMITTED"},
               {"OK"},
               {"OTHER"},
               {"WAITING"},
               {"MEAN"}});
  auto rendered = list(document, "sources", std::move(table), [](const Json& row) {
    const Json account = object(row, "account");
    return std::vector<std::string>{text(row, "name"),
                                    state_of_source(row),
                                    counted(account, "admitted"),
                                    counted(account, "ok"),
                                    count_text(sum(account, kNotOk)),
                                    count_text(sum(object(row, "in_progress"), kInProgress)),
                                    lasted(row, "mean_service_seconds")};
  });
  const auto json = parsed(document);
  if (!rendered || !json) return rendered;
  for (const Json& row : object(*json, "sources")) {
    const auto why = text(row, "state_text");
    if (why.empty()) continue;
    *rendered += printable(fmt::format("{}: {} for {}: {}", text(row, "name"), text(row, "state"),
                                       lasted(row, "state_seconds"), why)) +
                 "\n";
  }
  return rendered;
}

Rendered render_jobs(const std::string& document) {
  Table table({{"JOB", Align::left, 22},
               {"STATE", Align::left, 9},
               {"DONE"},
               {"OF"},
               {"FAILED"},
               {"RATE"},
               {"LEFT"}});
  return list(document, "jobs", std::move(table), [](const Json& row) {
    return std::vector<std::string>{text(row, "name"),
                                    state_of_job(row),
                                    done_of(row),
                                    counted(row, "expected"),
                                    counted(object(row, "account"), "failed"),
                                    rate_of(row),
                                    lasted(row, "eta_seconds")};
  });
}

Result<std::string, std::string> only_job(const std::string& document, const std::string& name) {
  const auto json = parsed(document);
  if (!json) return fail(json.error());
  const Json rows = object(*json, "jobs");
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const Json& row) { return text(row, "name") == name; });
  if (found == rows.end()) return std::string{};
  return Json{{"jobs", Json::array({*found})}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Rendered render_job(const std::string& document) {
  const auto json = parsed(document);
  if (!json) return fail(json.error());
  const Json rows = object(*json, "jobs");
  if (!rows.is_array() || rows.empty()) return std::string("no such job\n");
  const Json& row = rows.front();
  std::string out =
      fmt::format("job       {}, {}\n", printable(text(row, "name")), state_of_job(row));
  out += ledger_lines(row);
  out += fmt::format("done      {} of {}\n", done_of(row), counted(row, "expected"));
  out += fmt::format("time      {} elapsed, {} left at {}\n", lasted(row, "elapsed_seconds"),
                     lasted(row, "eta_seconds"), rate_of(row));
  return out;
}

}  // namespace framefleet::cli
