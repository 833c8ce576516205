#pragma once
// What `framefleet run` says at its end: the ledger and whether it balances, the table per
// detector, what failed, where the results are, how to go on. Pure; the shell collects, these
// functions judge and render.

#include "cli/producer_events.hpp"
#include "cli/supervisor.hpp"
#include "sink/stores/report.hpp"

#include "shared/base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace framefleet::cli {

struct RunReport {
  std::string job;
  Duration wall{};              ///< From the plan to the last outcome.
  std::optional<EndEvent> end;  ///< Nothing: the producer never said how it ended.
  Counters last_counters;       ///< The newest ones heard, where there is no `end`.
  std::uint64_t skipped{0};     ///< Files of the sources that are not pictures.

  std::optional<sink::Report> store;             ///< Of the whole job, earlier runs included.
  std::optional<std::uint64_t> stored_at_start;  ///< Outcomes of the job before this run.
  bool has_journal{false};  ///< Tasks of an earlier run may end in this one, unasked.
  std::string store_error;  ///< Why `store` is absent.

  std::vector<std::string> results;  ///< Files and folders to look at.
  std::string logs;                  ///< Folder of the children's logs.
  std::vector<Supervisor::RestartCount> restarts;
  Verdict verdict;
  std::string message;           ///< What the culprit said last: lines of its log.
  std::string continue_command;  ///< Ready to paste.

  const Counters& counters() const { return end ? end->counters : last_counters; }
  /// Pictures that ended in this run, per second of `wall`.
  double per_second() const;
};

/// What does not add up: sentences, none when all is well. Without `end` or `store` there is less
/// to compare, which is no problem by itself (the verdict says why they are missing).
std::vector<std::string> audit(const RunReport& report);

/// The verdict's code, else 70 where the ledger does not balance, else 3 where a picture of the job
/// did not end `ok` or an interrupted run left some, else 0.
int exit_code_of(const RunReport& report);

/// For people, several lines, each ended.
std::string render_text(const RunReport& report);
/// {"event":"report",…} on one line, without its newline.
std::string render_json(const RunReport& report);

/// Failed pictures listed by render_text; the rest is a count. (render_json lists all that it has.)
inline constexpr std::size_t kFailedListedMax = 20;

}  // namespace framefleet::cli
