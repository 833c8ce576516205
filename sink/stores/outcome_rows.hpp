#pragma once
// The rows of one outcome: looked up, written. Knows the statements; knows nothing of transactions,
// files or retention. Superseded and lost frames of live sources become ranges in `gaps` instead of
// rows. Threads, lifetime: those of the database. Errors: false or failed(), the reason in
// Database::error().

#include "sink/stores/database.hpp"
#include "sink/stores/dead_letters.hpp"
#include "sink/stores/outcome_row.hpp"
#include "sink/stores/result_store.hpp"

#include <optional>
#include <span>
#include <string>

namespace framefleet::sink {

class OutcomeRows {
 public:
  /// Both outlive this object.
  OutcomeRows(Database& database, DeadLetters& dead_letters);

  bool usable() const;
  /// What is stored under the id; nothing when nothing is, or after an error (failed() tells).
  std::optional<SettledTask> find(const TaskId& task);
  /// What find() gives for an outcome that was inserted.
  static SettledTask as_found(const Outcome& outcome);
  /// False, too, after an error.
  bool has_picture(const std::string& path);
  /// The latest lookup ended in an error.
  bool failed() const { return failed_; }

  /// Names it in the row of the failed task that it revives, too: of several the latest stands, and
  /// where there is no such row nothing happens. `inserted` becomes the row, or nothing where it is
  /// a gap's now.
  /// Requires: find(given.outcome.id) is nothing; a transaction is open; dead_letters.begin() was
  /// called in it.
  [[nodiscard]] bool insert(const OutcomeToStore& given, const std::string& stored_at,
                            std::span<const PictureRow> pictures,
                            std::optional<OutcomeRow>& inserted);

 private:
  std::optional<SettledTask> find_in_gaps(const TaskId& task);
  struct Gap;
  /// The last gap of the task's source that begins at `sequence` or before it.
  bool read_gap(const TaskId& task, std::int64_t sequence, std::optional<Gap>& gap);
  bool insert_gap(const Outcome& outcome, const std::string& stored_at);
  bool insert_outcome(OutcomeRow& row);
  bool insert_runs(std::int64_t outcome, std::span<DetectorRunRow> runs);
  bool insert_history(std::int64_t outcome, std::span<const AttemptRow> history);
  /// Makes a JSON object without line breaks of whatever it is.
  bool make_object(std::string& extra);

  Database& database_;
  DeadLetters& dead_letters_;
  Statement find_outcome_;
  Statement find_gap_;
  Statement find_picture_;
  Statement insert_outcome_;
  Statement insert_run_;
  Statement insert_detection_;
  Statement make_object_;
  Statement insert_attempt_;
  Statement insert_picture_;
  Statement insert_gap_;
  Statement extend_gap_;
  Statement remove_gap_;
  Statement mark_revived_;
  bool failed_{false};
};

}  // namespace framefleet::sink
