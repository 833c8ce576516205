#include "sink/stores/ndjson_writer.hpp"

#include "sink/stores/text.hpp"

#include "shared/base/failpoint.hpp"

#include <fcntl.h>
#include <fmt/compile.h>
#include <fmt/format.h>

#include <array>
#include <iterator>

namespace framefleet::sink {
namespace {

constexpr std::size_t kAppendBytes = std::size_t{1} << 20U;

/// Appends `"key":` after a comma where one is needed.
void append_key(std::string& out, std::string_view key) {
  if (out.back() != '{' && out.back() != '[') out += ',';
  out += '"';
  out += key;
  out += "\":";
}

void append_text(std::string& out, std::string_view key, const Statement& row, int column) {
  append_key(out, key);
  if (row.is_null(column)) {
    out += "null";
  } else {
    append_json_string(out, row.text(column));
  }
}

void append_integer(std::string& out, std::string_view key, const Statement& row, int column) {
  append_key(out, key);
  if (row.is_null(column)) {
    out += "null";
  } else {
    const fmt::format_int digits(row.integer(column));
    out.append(digits.data(), digits.size());
  }
}

void append_real(std::string& out, std::string_view key, const Statement& row, int column) {
  append_key(out, key);
  if (row.is_null(column)) {
    out += "null";
  } else {
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}"), row.real(column));
  }
}

void append_bool(std::string& out, std::string_view key, const Statement& row, int column) {
  append_key(out, key);
  out += row.integer(column) != 0 ? "true" : "false";
}

void open_object(std::string& out) {
  if (out.back() != '[') out += ',';
  out += '{';
}

}  // namespace

class NdjsonWriter::Lines {
 public:
  explicit Lines(Database& database)
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
  /// Appends lines until `bytes` are there or the rows end. False: the rows have ended, or an
  /// error.
  bool append_until(std::string& out, std::size_t bytes, std::int64_t& last_row) {
    while (out.size() < bytes) {
      if (!outcomes_.next()) {
        failed_ |= outcomes_.failed();
        return false;
      }
      append_line(out);
      if (failed_) return false;
      last_row = outcomes_.integer(0);
    }
    return true;
  }
  void finish() { outcomes_.reset(); }

  bool failed() const { return failed_; }
  StoreError error() const { return database_.failure(); }

 private:
  void append_line(std::string& out) {
    const auto id = outcomes_.integer(0);
    out += '{';
    constexpr std::array kIdentity{"task", "job", "source"};
    int column = 1;
    for (const auto* key : kIdentity) append_text(out, key, outcomes_, column++);
    append_integer(out, "epoch", outcomes_, column++);
    append_integer(out, "sequence", outcomes_, column++);
    constexpr std::array kWords{"class", "origin", "detect", "status", "reason", "text"};
    for (const auto* key : kWords) append_text(out, key, outcomes_, column++);
    append_bool(out, "damaged", outcomes_, column++);
    constexpr std::array kCounts{"attempts", "width", "height"};
    for (const auto* key : kCounts) append_integer(out, key, outcomes_, column++);
    append_text(out, "captured_at", outcomes_, column++);
    append_text(out, "stored_at", outcomes_, column++);
    constexpr std::array kStages{"queued", "leased", "worked", "decode", "annotate"};
    for (const auto* key : kStages) append_real(out, key, outcomes_, column++);
    append_text(out, "worker", outcomes_, column++);
    append_text(out, "build", outcomes_, column++);
    append_bool(out, "pruned", outcomes_, column++);
    append_bool(out, "annotated", outcomes_, column++);
    append_text(out, "revived_from", outcomes_, column++);
    append_text(out, "revived_as", outcomes_, column);
    append_detectors(out, id);
    append_pictures(out, id);
    append_history(out, id);
    out += "}\n";
  }

  void append_detectors(std::string& out, std::int64_t outcome) {
    append_key(out, "detectors");
    out += '[';
    failed_ |= !runs_.start(outcome);
    while (!failed_ && runs_.next()) {
      open_object(out);
      append_text(out, "detector", runs_, 1);
      append_text(out, "version", runs_, 2);
      append_real(out, "elapsed", runs_, 3);
      append_detections(out, runs_.integer(0));
      out += '}';
    }
    failed_ |= runs_.failed();
    runs_.reset();
    out += ']';
  }

  void append_detections(std::string& out, std::int64_t run) {
    append_key(out, "detections");
    out += '[';
    failed_ |= !detections_.start(run);
    while (!failed_ && detections_.next()) {
      open_object(out);
      append_text(out, "label", detections_, 0);
      constexpr std::array kNumbers{"score", "x", "y", "width", "height"};
      int column = 1;
      for (const auto* key : kNumbers) append_real(out, key, detections_, column++);
      append_key(out,
                 "extra");  // The store made sure that it is a JSON object without line breaks.
      out += detections_.is_null(column) ? std::string_view("null") : detections_.text(column);
      out += '}';
    }
    failed_ |= detections_.failed();
    detections_.reset();
    out += ']';
  }

  void append_pictures(std::string& out, std::int64_t outcome) {
    append_key(out, "pictures");
    out += '[';
    failed_ |= !pictures_.start(outcome);
    while (!failed_ && pictures_.next()) {
      open_object(out);
      append_text(out, "kind", pictures_, 0);
      append_text(out, "path", pictures_, 1);
      append_integer(out, "bytes", pictures_, 2);
      out += '}';
    }
    failed_ |= pictures_.failed();
    pictures_.reset();
    out += ']';
  }

  void append_history(std::string& out, std::int64_t outcome) {
    append_key(out, "history");
    out += '[';
    failed_ |= !attempts_.start(outcome);
    while (!failed_ && attempts_.next()) {
      open_object(out);
      append_integer(out, "attempt", attempts_, 0);
      append_text(out, "worker", attempts_, 1);
      append_text(out, "reason", attempts_, 2);
      append_text(out, "text", attempts_, 3);
      out += '}';
    }
    failed_ |= attempts_.failed();
    attempts_.reset();
    out += ']';
  }

  Database& database_;
  Statement outcomes_;
  Statement runs_;
  Statement detections_;
  Statement pictures_;
  Statement attempts_;
  bool failed_{false};
};

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
  if (!writer->lines_->usable()) return fail(writer->lines_->error());
  return writer;
}

NdjsonWriter::NdjsonWriter(File file, Database& database, NdjsonPosition at)
    : database_(database),
      file_(std::move(file)),
      lines_(std::make_unique<Lines>(database)),
      position_(at),
      synced_(at) {}

NdjsonWriter::~NdjsonWriter() = default;

Result<void, StoreError> NdjsonWriter::append_new() {
  const ReadTransaction reading(database_);
  if (!lines_->start_after(position_.row)) return fail(lines_->error());
  Result<void, StoreError> done;
  bool more = true;
  while (more && done) {
    std::string lines;
    auto last_row = position_.row;
    more = lines_->append_until(lines, kAppendBytes, last_row);
    if (lines_->failed()) {
      done = fail(lines_->error());
    } else if (!lines.empty()) {
      done = append(lines, last_row);
    }
  }
  lines_->finish();
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
