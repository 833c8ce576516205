#include "sink/stores/outcome_rows.hpp"

#include "sink/stores/text.hpp"

#include "shared/base/failpoint.hpp"

#include <limits>

namespace framefleet::sink {
namespace {

constexpr auto kSequenceMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

std::optional<Status> parse_status(std::string_view word) {
  for (std::size_t i = 0; i < kStatusCount; ++i) {
    const auto status = static_cast<Status>(i);
    if (to_string(status) == word) return status;
  }
  return std::nullopt;
}

SettledTask settled(const TaskId& task, std::string_view status, std::string_view reason,
                    std::string_view text) {
  return {task, parse_status(status).value_or(Status::ok),
          parse_reason(reason).value_or(Reason::none), std::string(text)};
}

bool fits_in_gaps(const Outcome& outcome) {
  return outcome.task_class == TaskClass::live && outcome.id.part == 0 &&
         outcome.id.sequence < kSequenceMax &&
         (outcome.status == Status::superseded || outcome.status == Status::lost);
}

}  // namespace

/// A run of numbers; what else its tasks have in common decides whether runs can be one.
struct OutcomeRows::Gap {
  std::int64_t first{0};
  std::int64_t last{0};
  std::string job;
  std::string status;
  std::string reason;

  bool alike(const Gap& other) const {
    return job == other.job && status == other.status && reason == other.reason;
  }
};

OutcomeRows::OutcomeRows(Database& database, DeadLetters& dead_letters)
    : database_(database),
      dead_letters_(dead_letters),
      find_outcome_(database, "SELECT status, reason, text FROM outcomes WHERE task = ?1"),
      find_gap_(database,
                "SELECT first, last, job, status, reason FROM gaps WHERE source_hash = ?1 AND "
                "epoch = ?2 AND first <= ?3 ORDER BY first DESC LIMIT 1"),
      find_picture_(database, "SELECT 1 FROM picture_rows WHERE path = ?1"),
      insert_outcome_(
          database,
          "INSERT INTO outcomes (task, job, source, epoch, sequence, class, origin, "
          "detect, status, reason, text, damaged, attempts, width, height, captured_at, "
          "stored_at, queued, leased, worked, decode, annotate, worker, build, annotated, "
          "revived_from) VALUES "
          "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
          "?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)"),
      insert_run_(database,
                  "INSERT INTO detector_run_rows (outcome, detector, version, elapsed) VALUES "
                  "(?1, ?2, ?3, ?4)"),
      insert_detection_(
          database,
          "INSERT INTO detection_rows (run, label, score, x, y, width, height, extra) VALUES "
          "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
      make_object_(database,
                   "SELECT CASE WHEN NOT json_valid(?1) THEN json_object('text', ?1) "
                   "WHEN json_type(?1) = 'object' THEN json(?1) "
                   "ELSE json_object('value', json(?1)) END"),
      insert_attempt_(database,
                      "INSERT INTO attempt_rows (outcome, attempt, worker, reason, text) VALUES "
                      "(?1, ?2, ?3, ?4, ?5)"),
      insert_picture_(database,
                      "INSERT INTO picture_rows (outcome, kind, path, bytes) VALUES "
                      "(?1, ?2, ?3, ?4)"),
      insert_gap_(database,
                  "INSERT INTO gaps (source_hash, source, epoch, first, last, job, status, reason, "
                  "at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
      extend_gap_(database,
                  "UPDATE gaps SET last = ?4, at = ?5 WHERE source_hash = ?1 AND epoch = ?2 AND "
                  "first = ?3"),
      remove_gap_(database,
                  "DELETE FROM gaps WHERE source_hash = ?1 AND epoch = ?2 AND first = ?3"),
      mark_revived_(database,
                    "UPDATE outcomes SET revived_as = ?2 WHERE task = ?1 AND status = 'failed'") {}

bool OutcomeRows::usable() const {
  return find_outcome_.usable() && find_gap_.usable() && find_picture_.usable() &&
         insert_outcome_.usable() && insert_run_.usable() && insert_detection_.usable() &&
         make_object_.usable() && insert_attempt_.usable() && insert_picture_.usable() &&
         insert_gap_.usable() && extend_gap_.usable() && remove_gap_.usable() &&
         mark_revived_.usable();
}

std::optional<SettledTask> OutcomeRows::find(const TaskId& task) {
  const TaskIdText id(task);
  failed_ = false;
  std::optional<SettledTask> found;
  if (find_outcome_.start(id.view()) && find_outcome_.next()) {
    found = settled(task, find_outcome_.text(0), find_outcome_.text(1), find_outcome_.text(2));
  }
  failed_ |= find_outcome_.failed();
  find_outcome_.reset();
  return found || failed_ ? found : find_in_gaps(task);
}

std::optional<SettledTask> OutcomeRows::find_in_gaps(const TaskId& task) {
  if (task.part != 0 || task.sequence > kSequenceMax) return std::nullopt;
  const auto sequence = static_cast<std::int64_t>(task.sequence);
  std::optional<Gap> gap;
  failed_ = !read_gap(task, sequence, gap);
  if (failed_ || !gap || gap->last < sequence) return std::nullopt;
  return settled(task, gap->status, gap->reason, {});
}

bool OutcomeRows::read_gap(const TaskId& task, std::int64_t sequence, std::optional<Gap>& gap) {
  const auto hash = source_text(task.source);
  bool done = find_gap_.start(hash, task.epoch, sequence);
  if (done && find_gap_.next()) {
    gap = Gap{find_gap_.integer(0), find_gap_.integer(1), std::string(find_gap_.text(2)),
              std::string(find_gap_.text(3)), std::string(find_gap_.text(4))};
  }
  done = done && !find_gap_.failed();
  find_gap_.reset();
  return done;
}

SettledTask OutcomeRows::as_found(const Outcome& outcome) {
  auto text = fits_in_gaps(outcome) ? std::string{} : clean_text(outcome.text, kTextBytesMax);
  return {outcome.id, outcome.status, outcome.reason, std::move(text)};
}

bool OutcomeRows::has_picture(const std::string& path) {
  failed_ = false;
  const bool found = find_picture_.start(path) && find_picture_.next();
  failed_ |= find_picture_.failed();
  find_picture_.reset();
  return found;
}

bool OutcomeRows::insert(const OutcomeToStore& given, const std::string& stored_at,
                         std::span<const PictureRow> pictures,
                         std::optional<OutcomeRow>& inserted) {
  const auto& outcome = given.outcome;
  inserted.reset();
  if (outcome.revived_from) {
    const auto old = to_string(*outcome.revived_from);
    if (!mark_revived_.run(old, to_string(outcome.id))) return false;
  }
  if (fits_in_gaps(outcome)) {
    const bool noted = insert_gap(outcome, stored_at);
    failpoint("store.gap.written");
    return noted;
  }
  auto& row = inserted.emplace(row_of(given, stored_at, pictures));
  bool done =
      insert_outcome(row) && insert_history(row.id, row.history) && insert_runs(row.id, row.runs);
  if (outcome.status == Status::failed) done = done && dead_letters_.keep(row.id, given.picture);
  for (const auto& picture : row.pictures) {
    done = done && insert_picture_.run(row.id, picture.kind, picture.path, picture.bytes);
  }
  return done;
}

bool OutcomeRows::insert_gap(const Outcome& outcome, const std::string& stored_at) {
  const auto& id = outcome.id;
  const auto hash = source_text(id.source);
  const auto sequence = static_cast<std::int64_t>(id.sequence);
  Gap gap{sequence, sequence, name_text(outcome.job), std::string(to_string(outcome.status)),
          std::string(to_string(outcome.reason))};
  std::optional<Gap> left;
  std::optional<Gap> right;
  if (!read_gap(id, sequence, left) || !read_gap(id, sequence + 1, right)) return false;
  if (right && right->first == sequence + 1 && right->alike(gap)) {
    gap.last = right->last;
    if (!remove_gap_.run(hash, id.epoch, right->first)) return false;
  }
  if (left && left->last == sequence - 1 && left->alike(gap)) {
    return extend_gap_.run(hash, id.epoch, left->first, gap.last, stored_at);
  }
  return insert_gap_.run(hash, name_text(outcome.source), id.epoch, gap.first, gap.last, gap.job,
                         gap.status, gap.reason, stored_at);
}

bool OutcomeRows::insert_outcome(OutcomeRow& row) {
  const bool done = insert_outcome_.run(
      row.task, row.job, row.source, row.epoch, row.sequence, row.task_class, row.origin,
      row.detect, row.status, row.reason, row.text, row.damaged, row.attempts, row.width,
      row.height, row.captured_at, row.stored_at, row.queued, row.leased, row.worked, row.decode,
      row.annotate, row.worker, row.build, row.annotated, row.revived_from);
  if (done) row.id = database_.last_row_id();
  return done;
}

bool OutcomeRows::insert_runs(std::int64_t outcome, std::span<DetectorRunRow> runs) {
  for (auto& report : runs) {
    if (!insert_run_.run(outcome, report.detector, report.version, report.elapsed)) return false;
    const auto run = database_.last_row_id();
    for (auto& found : report.detections) {
      if (found.extra && !make_object(*found.extra)) return false;
      if (!insert_detection_.run(run, found.label, found.score, found.x, found.y, found.width,
                                 found.height, found.extra)) {
        return false;
      }
    }
  }
  return true;
}

bool OutcomeRows::make_object(std::string& extra) {
  const bool done = make_object_.start(extra) && make_object_.next();
  std::string object(done ? make_object_.text(0) : std::string_view());
  make_object_.reset();
  extra = std::move(object);
  return done;
}

bool OutcomeRows::insert_history(std::int64_t outcome, std::span<const AttemptRow> history) {
  for (const auto& attempt : history) {
    if (!insert_attempt_.run(outcome, attempt.attempt, attempt.worker, attempt.reason,
                             attempt.text)) {
      return false;
    }
  }
  return true;
}

}  // namespace framefleet::sink
