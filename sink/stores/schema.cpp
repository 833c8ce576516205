#include "sink/stores/schema.hpp"

#include <fmt/format.h>

#include <array>

namespace framefleet::sink {
namespace {

constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value ANY
) WITHOUT ROWID;

CREATE TABLE outcomes (
  id          INTEGER PRIMARY KEY,
  task        TEXT NOT NULL UNIQUE,
  job         TEXT NOT NULL,
  source      TEXT NOT NULL,
  epoch       INTEGER NOT NULL,
  sequence    INTEGER NOT NULL,
  class       TEXT NOT NULL,
  origin      TEXT NOT NULL,
  detect      TEXT NOT NULL,
  status      TEXT NOT NULL,
  reason      TEXT NOT NULL,
  text        TEXT NOT NULL,
  damaged     INTEGER NOT NULL,
  attempts    INTEGER NOT NULL,
  width       INTEGER,
  height      INTEGER,
  captured_at TEXT,
  stored_at   TEXT NOT NULL,
  queued      REAL NOT NULL,
  leased      REAL NOT NULL,
  worked      REAL,
  decode      REAL,
  annotate    REAL,
  worker      TEXT NOT NULL,
  build       TEXT NOT NULL,
  pruned      INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX outcomes_by_job ON outcomes (job, status);

CREATE TABLE detector_run_rows (
  id       INTEGER PRIMARY KEY,
  outcome  INTEGER NOT NULL REFERENCES outcomes (id),
  detector TEXT NOT NULL,
  version  TEXT NOT NULL,
  elapsed  REAL NOT NULL
);
CREATE INDEX detector_run_rows_by_outcome ON detector_run_rows (outcome);

CREATE TABLE detection_rows (
  id     INTEGER PRIMARY KEY,
  run    INTEGER NOT NULL REFERENCES detector_run_rows (id),
  label  TEXT NOT NULL,
  score  REAL,
  x      REAL,
  y      REAL,
  width  REAL,
  height REAL,
  extra  TEXT
);
CREATE INDEX detection_rows_by_run ON detection_rows (run);

CREATE TABLE attempt_rows (
  id      INTEGER PRIMARY KEY,
  outcome INTEGER NOT NULL REFERENCES outcomes (id),
  attempt INTEGER NOT NULL,
  worker  TEXT NOT NULL,
  reason  TEXT NOT NULL,
  text    TEXT NOT NULL
);
CREATE INDEX attempt_rows_by_outcome ON attempt_rows (outcome);

CREATE TABLE dead_letter_rows (
  id            INTEGER PRIMARY KEY,
  outcome       INTEGER NOT NULL REFERENCES outcomes (id),
  frame         INTEGER NOT NULL,
  bytes_dropped INTEGER NOT NULL,
  bytes         BLOB
);
CREATE INDEX dead_letter_rows_by_outcome ON dead_letter_rows (outcome);

CREATE TABLE picture_rows (
  id      INTEGER PRIMARY KEY,
  outcome INTEGER NOT NULL REFERENCES outcomes (id),
  kind    TEXT NOT NULL,
  path    TEXT NOT NULL UNIQUE,
  bytes   INTEGER NOT NULL
);
CREATE INDEX picture_rows_by_outcome ON picture_rows (outcome);

CREATE TABLE gaps (
  source_hash TEXT NOT NULL,
  source      TEXT NOT NULL,
  epoch       INTEGER NOT NULL,
  first       INTEGER NOT NULL,
  last        INTEGER NOT NULL,
  job         TEXT NOT NULL,
  status      TEXT NOT NULL,
  reason      TEXT NOT NULL,
  at          TEXT NOT NULL,
  PRIMARY KEY (source_hash, epoch, first)
) WITHOUT ROWID;

CREATE VIEW detector_runs AS
  SELECT o.task, r.detector, r.version, r.elapsed
  FROM detector_run_rows r JOIN outcomes o ON o.id = r.outcome;

CREATE VIEW detections AS
  SELECT o.task, r.detector, d.label, d.score, d.x, d.y, d.width, d.height, d.extra
  FROM detection_rows d
  JOIN detector_run_rows r ON r.id = d.run
  JOIN outcomes o ON o.id = r.outcome;

CREATE VIEW v_detections AS
  SELECT o.job, o.source, o.sequence, o.origin, r.detector, r.version, d.label, d.score,
         d.x, d.y, d.width, d.height, d.extra, o.width AS picture_width,
         o.height AS picture_height, o.stored_at, o.task
  FROM detection_rows d
  JOIN detector_run_rows r ON r.id = d.run
  JOIN outcomes o ON o.id = r.outcome;

CREATE VIEW attempts AS
  SELECT o.task, a.attempt, a.worker, a.reason, a.text
  FROM attempt_rows a JOIN outcomes o ON o.id = a.outcome;

CREATE VIEW dead_letters AS
  SELECT o.task, o.origin, l.frame, l.bytes, l.bytes_dropped
  FROM dead_letter_rows l JOIN outcomes o ON o.id = l.outcome;

CREATE VIEW pictures AS
  SELECT o.task, o.origin, p.kind, p.path, p.bytes
  FROM picture_rows p JOIN outcomes o ON o.id = p.outcome;
)sql";

/// Reviving dead letters, and finding them without reading everything.
constexpr std::string_view kVersion2 = R"sql(
ALTER TABLE outcomes ADD COLUMN annotated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outcomes ADD COLUMN revived_from TEXT;
ALTER TABLE outcomes ADD COLUMN revived_as TEXT;
CREATE INDEX failed_outcomes ON outcomes (id) WHERE status = 'failed' AND pruned = 0;
CREATE INDEX kept_dead_letters ON dead_letter_rows (outcome) WHERE bytes IS NOT NULL;
)sql";

constexpr std::array<std::string_view, 2> kMigrations{kVersion1, kVersion2};

Error sql_failure(const Database& database, const std::filesystem::path& file, int code) {
  const auto error = database.error();
  return {fmt::format("cannot use {}: {}{}", file.string(), error.text,
                      error.is_full() ? "; make room on the disk and start again" : ""),
          code};
}

Error not_ours(const std::filesystem::path& file) {
  return {fmt::format("{} is not a framefleet store; move it away or choose another output folder",
                      file.string()),
          exit_code::kCannotCreate};
}

Error too_new(const std::filesystem::path& file, std::int64_t version, std::size_t known) {
  return {fmt::format("{} has schema version {}, and this program knows versions up to {}; use the "
                      "newer framefleet or choose another output folder",
                      file.string(), version, known),
          exit_code::kCannotCreate};
}

/// The schema version of the file: 0 for an empty one.
Result<std::int64_t, Error> read_version(Database& database, const std::filesystem::path& file) {
  const auto objects = database.number("SELECT count(*) FROM sqlite_schema");
  if (!objects) {
    if (database.error().is_not_a_database()) return fail(not_ours(file));
    return fail(sql_failure(database, file, exit_code::kDiskError));
  }
  const auto application = database.number("PRAGMA application_id").value_or(0);
  const auto version = database.number("PRAGMA user_version").value_or(0);
  if (application == kApplicationId && version > 0) return version;
  if (application == 0 && version == 0 && *objects == 0) return 0;
  return fail(not_ours(file));
}

Result<void, Error> copy_before_migration(Database& database, const std::filesystem::path& file,
                                          std::int64_t version) {
  const auto copy = fmt::format("{}.v{}.bak", file.string(), version);
  const auto unfinished = copy + ".tmp";
  std::error_code error;
  std::filesystem::remove(unfinished, error);
  Statement vacuum(database, "VACUUM INTO ?1");
  if (!vacuum.run(unfinished)) return fail(sql_failure(database, copy, exit_code::kDiskError));
  std::filesystem::rename(unfinished, copy, error);
  if (error) {
    return fail(
        Error{fmt::format("cannot write {}: {}", copy, error.message()), exit_code::kDiskError});
  }
  return {};
}

}  // namespace

std::span<const std::string_view> schema_migrations() { return kMigrations; }

Result<void, Error> prepare_schema(Database& database, const std::filesystem::path& file,
                                   std::span<const std::string_view> migrations) {
  const auto found = read_version(database, file);
  if (!found) return fail(found.error());
  const auto version = static_cast<std::size_t>(*found);
  if (version > migrations.size()) return fail(too_new(file, *found, migrations.size()));
  if (version == 0) {
    // Only possible while the file is empty; lets retention give space back to the file system.
    if (!database.execute("PRAGMA auto_vacuum = INCREMENTAL")) {
      return fail(sql_failure(database, file, exit_code::kDiskError));
    }
  } else if (version < migrations.size()) {
    if (const auto copied = copy_before_migration(database, file, *found); !copied) return copied;
  }
  for (auto next = version; next < migrations.size(); ++next) {
    Transaction transaction(database);
    const bool done = transaction.begin() && database.execute(std::string(migrations[next])) &&
                      database.execute(fmt::format("PRAGMA application_id = {}", kApplicationId)) &&
                      database.execute(fmt::format("PRAGMA user_version = {}", next + 1)) &&
                      transaction.commit();
    if (!done) {
      auto error = sql_failure(database, file, exit_code::kDiskError);
      error.text +=
          fmt::format(" (while changing its schema from version {} to {})", next, next + 1);
      return fail(std::move(error));
    }
  }
  return {};
}

Result<void, Error> check_schema(Database& database, const std::filesystem::path& file) {
  const auto version = read_version(database, file);
  if (!version) return fail(version.error());
  if (*version == 0) return fail(not_ours(file));
  if (static_cast<std::size_t>(*version) > kMigrations.size()) {
    return fail(too_new(file, *version, kMigrations.size()));
  }
  return {};
}

Error unreadable(const std::filesystem::path& file, const SqlError& error) {
  return {fmt::format("cannot read {}: {}", file.string(), error.text), exit_code::kDiskError};
}

Result<std::unique_ptr<Database>, Error> open_to_read(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    return fail(
        Error{fmt::format("there is no {}: nothing has been stored there yet", file.string()),
              exit_code::kNoInput});
  }
  auto database = Database::open(file, Access::read);
  if (!database) return fail(unreadable(file, database.error()));
  if (const auto ours = check_schema(**database, file); !ours) return fail(ours.error());
  return std::move(*database);
}

}  // namespace framefleet::sink
