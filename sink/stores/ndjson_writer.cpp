#include "sink/stores/ndjson_writer.hpp"

#include "sink/stores/ndjson_line.hpp"

#include "shared/base/failpoint.hpp"

#include <fcntl.h>

#include <optional>

namespace framefleet::sink {
namespace {

/// Lines that are read from the database are written in pieces of this: few calls, little memory.
constexpr std::size_t kAppendBytes = std::size_t{1} << 20U;
/// Some hundred outcomes of a hundred detections; what is more is read back, piece by piece.
constexpr std::size_t kFreshBytesMax = std::size_t{4} << 20U;

std::optional<std::string> text_or_null(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(std::string(row.text(column)));
}

std::optional<std::int64_t> integer_or_null(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(row.integer(column));
}

std::optional<double> real_or_null(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(row.real(column));
}

}  // namespace

class NdjsonWriter::Rows {
 public:
  explicit Rows(Database& database)
      : database_(database),
        outcomes_(database,
                  "SELECT id, task, job, source, epoch, sequence, class, origin, detect, status, "
                  "reason, text, damaged, attempts, width, height, captured_at, stored_at, queued, "
                  "leased, worked, decode, annotate, worker, build, pruned, annotated, "
                  "revived_from, revived_as FROM outcomes WHERE id > ?1 ORDER BY id"),
        runs_(database,
              "SELECT id, detector, version, elapsed FROM detector_run_rows WHERE outcome = ?1 "
              "ORDER BY id"),
        detections_(database,
                    "SELECT label, score, x, y, width, height, extra FROM detection_rows "
                    "WHERE run = ?1 ORDER BY id"),
        pictures_(database,
                  "SELECT kind, path, bytes FROM picture_rows WHERE outcome = ?1 ORDER BY id"),
        attempts_(database,
                  "SELECT attempt, worker, reason, text FROM attempt_rows WHERE outcome = ?1 "
                  "ORDER BY id") {}

  bool usable() const {
    return outcomes_.usable() && runs_.usable() && detections_.usable() && pictures_.usable() &&
           attempts_.usable();
  }

  bool start_after(std::int64_t row) { return outcomes_.start(row); }
  /// Nothing: the rows have ended, or an error.
  std::optional<OutcomeRow> next() {
    if (!outcomes_.next()) {
      failed_ |= outcomes_.failed();
      return std::nullopt;
    }
    auto row = read_outcome();
    read_runs(row);
    read_pictures(row);
    read_history(row);
    return failed_ ? std::nullopt : std::optional(std::move(row));
  }
  void finish() { outcomes_.reset(); }

  bool failed() const { return failed_; }
  StoreError error() const { return database_.failure(); }

 private:
  OutcomeRow read_outcome() const {
    const auto& from = outcomes_;
    const auto text = [&from](int column) { return std::string(from.text(column)); };
    OutcomeRow row;
    row.id = from.integer(0);
    row.task = text(1);
    row.job = text(2);
    row.source = text(3);
    row.epoch = from.integer(4);
    row.sequence = from.integer(5);
    row.task_class = text(6);
    row.origin = text(7);
    row.detect = text(8);
    row.status = text(9);
    row.reason = text(10);
    row.text = text(11);
    row.damaged = from.integer(12) != 0;
    row.attempts = from.integer(13);
    row.width = integer_or_null(from, 14);
    row.height = integer_or_null(from, 15);
    row.captured_at = text_or_null(from, 16);
    row.stored_at = text(17);
    row.queued = from.real(18);
    row.leased = from.real(19);
    row.worked = real_or_null(from, 20);
    row.decode = real_or_null(from, 21);
    row.annotate = real_or_null(from, 22);
    row.worker = text(23);
    row.build = text(24);
    row.pruned = from.integer(25) != 0;
    row.annotated = from.integer(26) != 0;
    row.revived_from = text_or_null(from, 27);
    row.revived_as = text_or_null(from, 28);
    return row;
  }

  /// Calls `add()` at each row of the statement.
  template <class Add>
  void each(Statement& statement, std::int64_t of, Add add) {
    failed_ |= !statement.start(of);
    while (!failed_ && statement.next()) add();
    failed_ |= statement.failed();
    statement.reset();
  }

  void read_runs(OutcomeRow& row) {
    each(runs_, row.id, [&] {
      auto& run = row.runs.emplace_back(DetectorRunRow{
          std::string(runs_.text(1)), std::string(runs_.text(2)), runs_.real(3), {}});
      read_detections(run, runs_.integer(0));
    });
  }

  void read_detections(DetectorRunRow& run, std::int64_t id) {
    const auto& from = detections_;
    each(detections_, id, [&] {
      run.detections.push_back({.label = std::string(from.text(0)),
                                .score = real_or_null(from, 1),
                                .x = real_or_null(from, 2),
                                .y = real_or_null(from, 3),
                                .width = real_or_null(from, 4),
                                .height = real_or_null(from, 5),
                                .extra = text_or_null(from, 6)});
    });
  }

  void read_pictures(OutcomeRow& row) {
    const auto& from = pictures_;
    each(pictures_, row.id, [&] {
      row.pictures.push_back({std::string(from.text(0)), std::string(from.text(1)),
                              static_cast<std::uint64_t>(from.integer(2))});
    });
  }

  void read_history(OutcomeRow& row) {
    const auto& from = attempts_;
    each(attempts_, row.id, [&] {
      row.history.push_back({from.integer(0), std::string(from.text(1)), std::string(from.text(2)),
                             std::string(from.text(3))});
    });
  }

  Database& database_;
  Statement outcomes_;
  Statement runs_;
  Statement detections_;
  Statement pictures_;
  Statement attempts_;
  bool failed_{false};
};

void FreshLines::begin(std::int64_t last_row) {
  text_.clear();
  after_ = last_row;
  last_ = last_row;
  whole_ = true;
}

void FreshLines::add(const OutcomeRow& row) {
  last_ = row.id;
  if (whole_) append_line(text_, row);
  whole_ = whole_ && text_.size() <= kFreshBytesMax;
  if (!whole_) text_ = {};
}

Result<std::unique_ptr<NdjsonWriter>, StoreError> NdjsonWriter::open(
    const std::filesystem::path& file, Database& database, NdjsonPosition recorded) {
  auto opened = File::open(file, O_RDWR | O_CREAT);
  if (!opened) return fail(opened.error());
  const auto size = opened->size();
  if (!size) return fail(size.error());
  const bool reached =
      recorded.bytes > 0 && *size >= recorded.bytes && opened->holds_at(recorded.bytes - 1, '\n');
  const auto at = reached ? recorded : NdjsonPosition{};
  if (const auto cut = opened->truncate(at.bytes); !cut) return fail(cut.error());
  std::unique_ptr<NdjsonWriter> writer(new NdjsonWriter(std::move(*opened), database, at));
  if (!writer->rows_->usable()) return fail(writer->rows_->error());
  return writer;
}

NdjsonWriter::NdjsonWriter(File file, Database& database, NdjsonPosition at)
    : database_(database),
      file_(std::move(file)),
      rows_(std::make_unique<Rows>(database)),
      position_(at),
      synced_(at) {}

NdjsonWriter::~NdjsonWriter() = default;

Result<void, StoreError> NdjsonWriter::append_new(const FreshLines& fresh) {
  if (!fresh.whole_ || fresh.after_ != position_.row) return append_from_database();
  return fresh.text_.empty() ? Result<void, StoreError>{} : append(fresh.text_, fresh.last_);
}

Result<void, StoreError> NdjsonWriter::append_from_database() {
  const ReadTransaction reading(database_);
  if (!rows_->start_after(position_.row)) return fail(rows_->error());
  Result<void, StoreError> done;
  std::string lines;
  bool more = true;
  while (more && done) {
    lines.clear();
    auto last_row = position_.row;
    while (more && lines.size() < kAppendBytes) {
      const auto row = rows_->next();
      more = row.has_value();
      if (!more) break;
      append_line(lines, *row);
      last_row = row->id;
    }
    if (rows_->failed()) {
      done = fail(rows_->error());
    } else if (!lines.empty()) {
      done = append(lines, last_row);
    }
  }
  rows_->finish();
  return done;
}

Result<void, StoreError> NdjsonWriter::append(const std::string& lines, std::int64_t last_row) {
  failpoint("store.ndjson.before");
  if (const auto written = file_.write_at(position_.bytes, lines); !written) {
    // The part that was written is no whole line: take it back, so that readers never see it for
    // long.
    if (const auto cut = file_.truncate(position_.bytes); !cut) return cut;
    return written;
  }
  position_ = {last_row, position_.bytes + lines.size()};
  failpoint("store.ndjson.after");
  return {};
}

Result<void, StoreError> NdjsonWriter::sync_if_grown(std::uint64_t bytes_min) {
  if (position_.bytes - synced_.bytes < bytes_min || position_ == synced_) return {};
  if (const auto done = file_.sync(); !done) return done;
  synced_ = position_;
  failpoint("store.ndjson.synced");
  return {};
}

}  // namespace framefleet::sink
