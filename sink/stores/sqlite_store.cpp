#include "sink/stores/sqlite_store.hpp"

#include "sink/stores/dead_letter_answers.hpp"
#include "sink/stores/dead_letters.hpp"
#include "sink/stores/file.hpp"
#include "sink/stores/ndjson_writer.hpp"
#include "sink/stores/outcome_rows.hpp"
#include "sink/stores/output_folder.hpp"
#include "sink/stores/picture_writer.hpp"
#include "sink/stores/pruner.hpp"
#include "sink/stores/schema.hpp"
#include "sink/stores/space_reserve.hpp"
#include "sink/stores/text.hpp"

#include "shared/base/assert.hpp"
#include "shared/base/failpoint.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace framefleet::sink {
namespace {

/// results.ndjson is synced in pieces of this size; what is not synced is written again after a
/// crash.
constexpr std::uint64_t kNdjsonSyncBytes = std::uint64_t{4} << 20U;

Error cannot_open(const std::filesystem::path& file, const SqlError& error) {
  const bool full = error.is_full();
  return {fmt::format("cannot open {}: {}{}", file.string(), error.text,
                      full ? "; make room on the disk and start again" : ""),
          full ? exit_code::kDiskError : exit_code::kCannotCreate};
}

/// A random (version 4) UUID.
std::string new_uuid() {
  std::array<unsigned char, 16> bytes{};
  const auto got = ::getrandom(bytes.data(), bytes.size(), 0);
  FRAMEFLEET_ASSERT(got == static_cast<ssize_t>(bytes.size()));
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0FU) | 0x40U);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3FU) | 0x80U);
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", bytes[i]);
  }
  return text;
}

std::string time_text(std::int64_t unix_ms) {
  return iso_time(unix_ms).value_or("1970-01-01T00:00:00.000Z");
}

/// The modes of DESIGN.md section 6. Needs a database that is known to be ours. What is deleted is
/// not overwritten where that takes more space: Debian's SQLite would write every freed page into
/// the log, a gigabyte of it where retention takes a gigabyte of pictures away.
bool set_modes(Database& database, std::uint32_t pages_max) {
  return database.execute(
             "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; "
             "PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY; "
             "PRAGMA secure_delete = FAST") &&
         (pages_max == 0 || database.execute(fmt::format("PRAGMA max_page_count = {}", pages_max)));
}

bool write_identity(Database& database, std::int64_t now_ms, const std::string& build) {
  Statement insert(database, "INSERT INTO meta (key, value) VALUES (?1, ?2)");
  Transaction transaction(database);
  return transaction.begin() && insert.run(std::string_view("store"), new_uuid()) &&
         insert.run(std::string_view("created_at"), time_text(now_ms)) &&
         insert.run(std::string_view("created_by"), build) && transaction.commit();
}

/// Brings an open database to our schema and modes and gives it a name of its own. `file` is what
/// errors call it.
Result<void, Error> make_ready(Database& database, const std::filesystem::path& file,
                               const SqliteStoreOptions& options) {
  if (auto ready = prepare_schema(database, file, schema_migrations()); !ready) return ready;
  if (!set_modes(database, options.pages_max) ||
      (!database.text("SELECT value FROM meta WHERE key = 'store'") &&
       !write_identity(database, options.now_ms(), options.build))) {
    return fail(cannot_open(file, database.error()));
  }
  return {};
}

/// A new database gets its name when it is complete: whoever looks for it meanwhile finds none, and
/// never one that is locked or without tables.
Result<void, Error> create_if_missing(const std::filesystem::path& file,
                                      const SqliteStoreOptions& options) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::exists(fs::symlink_status(file, error))) return {};
  const auto incoming = options.folder / kIncomingFolder;
  fs::remove_all(incoming, error);
  fs::create_directories(incoming, error);
  const auto unfinished = incoming / file.filename();
  {
    auto database = Database::open(unfinished, Access::write);
    if (!database) return fail(cannot_open(file, database.error()));
    if (auto ready = make_ready(**database, file, options); !ready) return ready;
    if (!(*database)->empty_log()) return fail(cannot_open(file, (*database)->error()));
  }
  failpoint("store.create.unfinished");
  fs::rename(unfinished, file, error);
  if (error) {
    return fail(Error{fmt::format("cannot create {}: {}", file.string(), error.message()),
                      exit_code::kCannotCreate});
  }
  failpoint("store.create.renamed");
  if (const auto synced = sync_folder(options.folder); !synced) {
    return fail(Error{synced.error().text, exit_code::kDiskError});
  }
  failpoint("store.create.synced");
  return {};
}

std::filesystem::path reserve_file(const SqliteStoreOptions& options) {
  return options.folder / "results.reserve";
}

NdjsonPosition recorded_position(Database& database) {
  return {database.number("SELECT value FROM meta WHERE key = 'ndjson_row'").value_or(0),
          static_cast<std::uint64_t>(
              database.number("SELECT value FROM meta WHERE key = 'ndjson_bytes'").value_or(0))};
}

}  // namespace

struct SqliteStore::Parts {
  Parts(SqliteStoreOptions given, OutputFolder claimed, std::unique_ptr<Database> opened)
      : options(std::move(given)),
        folder(std::move(claimed)),
        database(std::move(opened)),
        dead_letters(*database, options.dead_letters_bytes_max),
        answers(*database, dead_letters),
        rows(*database, dead_letters),
        pictures(folder.path()),
        pruner(*database, pictures, dead_letters, options.retention),
        reserve(reserve_file(options)),
        record_position(*database,
                        "INSERT OR REPLACE INTO meta (key, value) VALUES "
                        "('ndjson_row', ?1), ('ndjson_bytes', ?2)") {}

  /// Members below are used in the order of their declaration, and destroyed in the opposite one.
  SqliteStoreOptions options;
  OutputFolder folder;
  std::unique_ptr<Database> database;
  DeadLetters dead_letters;
  DeadLetterAnswers answers;
  OutcomeRows rows;
  PictureWriter pictures;
  Pruner pruner;
  SpaceReserve reserve;
  Statement record_position;
  std::unique_ptr<NdjsonWriter> ndjson;
  FreshLines fresh_lines;
  NdjsonPosition recorded;
  std::string uuid;
  std::int64_t last_row{0};
  StoreStats stats;
  bool broken{false};  ///< What the disk has is not known: not another write before it is read.

  template <class Done>
  Done noted(Done done) {
    broken = broken || (!done && done.error().kind == StoreError::Kind::failed);
    return done;
  }
  std::optional<StoreError> open_ndjson();
  /// Outcomes that are to be written, and the answers for all that were given once they are.
  struct Sorted {
    std::vector<const OutcomeToStore*> fresh;
    std::vector<SettledTask> answers;
  };
  Result<std::vector<SettledTask>, StoreError> store_rows(std::span<const OutcomeToStore> outcomes);
  Result<Sorted, StoreError> sorted(std::span<const OutcomeToStore> outcomes);
  Result<std::vector<std::vector<PictureRow>>, StoreError> write_pictures(
      std::span<const OutcomeToStore* const> outcomes);
  /// Requires: the transaction has begun.
  Result<void, StoreError> write_rows(Transaction& transaction,
                                      std::span<const OutcomeToStore* const> outcomes,
                                      std::span<const std::vector<PictureRow>> pictures);
  Result<void, StoreError> write_ndjson(const FreshLines& fresh);
  void close();
};

Result<std::unique_ptr<SqliteStore>, Error> SqliteStore::open(const SqliteStoreOptions& options) {
  auto opened = try_open(options);
  const bool disk = !opened && opened.error().exit_code == exit_code::kDiskError;
  if (disk && SpaceReserve(reserve_file(options)).give_up()) opened = try_open(options);
  if (opened) (*opened)->parts_->reserve.keep();
  return opened;
}

Result<std::unique_ptr<SqliteStore>, Error> SqliteStore::try_open(
    const SqliteStoreOptions& options) {
  FRAMEFLEET_ASSERT(options.now_ms);
  auto folder = OutputFolder::claim(options.folder);
  if (!folder) return fail(folder.error());
  const auto file = options.folder / "results.sqlite";
  if (const auto there = create_if_missing(file, options); !there) return fail(there.error());
  auto database = Database::open(file, Access::write);
  if (!database) return fail(cannot_open(file, database.error()));
  auto& opened = **database;
  if (const auto ready = make_ready(opened, file, options); !ready) return fail(ready.error());
  auto parts = std::make_unique<Parts>(options, std::move(*folder), std::move(*database));
  if (!parts->dead_letters.usable() || !parts->answers.usable() || !parts->rows.usable() ||
      !parts->record_position.usable() || !parts->dead_letters.count()) {
    return fail(cannot_open(file, opened.error()));
  }
  if (const auto done = parts->pruner.finish(); !done) {
    return fail(Error{done.error().text, exit_code::kDiskError});
  }
  parts->uuid = opened.text("SELECT value FROM meta WHERE key = 'store'").value_or("");
  parts->last_row = opened.number("SELECT max(id) FROM outcomes").value_or(0);
  parts->stats.picture_bytes =
      static_cast<std::uint64_t>(opened.number("SELECT sum(bytes) FROM picture_rows").value_or(0));
  if (const auto error = parts->open_ndjson()) {
    return fail(Error{error->text, exit_code::kDiskError});
  }
  parts->stats.database_bytes = parts->database->used_bytes();
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(parts)));
}

SqliteStore::SqliteStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

SqliteStore::~SqliteStore() {
  if (!parts_->broken) parts_->close();
}

Result<std::vector<SettledTask>, StoreError> SqliteStore::commit(
    std::span<const OutcomeToStore> outcomes) {
  return parts_->noted(try_commit(outcomes));
}

Result<std::vector<SettledTask>, StoreError> SqliteStore::try_commit(
    std::span<const OutcomeToStore> outcomes) {
  failpoint("store.begin");
  auto stored = parts_->store_rows(outcomes);
  if (!stored) return stored;
  if (const auto done = parts_->write_ndjson(parts_->fresh_lines); !done) {
    return fail(done.error());
  }
  if (!parts_->database->checkpoint_if_grown()) return fail(parts_->database->failure());
  parts_->reserve.keep();
  return stored;
}

Result<std::vector<SettledTask>, StoreError> SqliteStore::Parts::store_rows(
    std::span<const OutcomeToStore> outcomes) {
  // Looked up, written and committed in one transaction: each begin and end of one takes and gives
  // back locks.
  Transaction transaction(*database);
  if (!transaction.begin()) return fail(database->failure());
  fresh_lines.begin(last_row);
  auto sorted = this->sorted(outcomes);
  if (!sorted) return fail(sorted.error());
  const auto& fresh = sorted->fresh;
  const auto written = write_pictures(fresh);
  if (!written) return fail(written.error());
  if (const auto done = write_rows(transaction, fresh, *written); !done) return fail(done.error());
  ++stats.commits;
  stats.stored += fresh.size();
  stats.duplicates += outcomes.size() - fresh.size();
  return std::move(sorted->answers);
}

Result<std::vector<SettledTask>, StoreError> SqliteStore::find(std::span<const TaskId> tasks) {
  const ReadTransaction reading(*parts_->database);
  std::vector<SettledTask> found;
  found.reserve(tasks.size());
  for (const auto& task : tasks) {
    if (auto settled = parts_->rows.find(task)) found.push_back(std::move(*settled));
    if (parts_->rows.failed()) return fail(parts_->database->failure());
  }
  return found;
}

Result<PruneStep, StoreError> SqliteStore::prune(std::int64_t now_ms) {
  auto step = parts_->noted(parts_->pruner.step(now_ms, parts_->stats.picture_bytes));
  if (!step) return step;
  parts_->stats.pruned += step->outcomes;
  if (step->outcomes > 0) parts_->stats.database_bytes = parts_->database->used_bytes();
  if (!parts_->database->checkpoint_if_grown()) return fail(parts_->database->failure());
  return step;
}

Result<ControlAnswer, StoreError> SqliteStore::carry_out(const Control& control,
                                                         std::uint64_t frame_bytes_max) {
  auto answer = parts_->noted(parts_->answers.answer(control, frame_bytes_max));
  parts_->stats.database_bytes = parts_->database->used_bytes();
  return answer;
}

const std::string& SqliteStore::uuid() const { return parts_->uuid; }

StoreStats SqliteStore::stats() const {
  auto stats = parts_->stats;
  stats.log_bytes = parts_->database->log_bytes();
  const auto letters = parts_->dead_letters.totals();
  stats.dead_letters = letters.letters;
  stats.dead_letter_bytes = letters.bytes;
  stats.dead_letter_bytes_dropped = letters.bytes_dropped;
  if (parts_->ndjson) {
    const auto position = parts_->ndjson->position();
    stats.ndjson_bytes = position.bytes;
    stats.ndjson_behind = static_cast<std::uint64_t>(parts_->last_row - position.row);
  }
  return stats;
}

std::optional<StoreError> SqliteStore::Parts::open_ndjson() {
  if (!options.ndjson) return std::nullopt;
  recorded = recorded_position(*database);
  auto opened = NdjsonWriter::open(folder.path() / "results.ndjson", *database, recorded);
  if (!opened) return opened.error();
  ndjson = std::move(*opened);
  // Before a file is written anew, so that no crash leaves a position that belongs to the old one.
  if (const auto start = ndjson->position(); !(start == recorded)) {
    if (!record_position.run(start.row, start.bytes)) return database->failure();
    recorded = start;
  }
  if (const auto done = write_ndjson({}); !done) return done.error();
  return std::nullopt;
}

Result<SqliteStore::Parts::Sorted, StoreError> SqliteStore::Parts::sorted(
    std::span<const OutcomeToStore> outcomes) {
  Sorted sorted;
  sorted.answers.reserve(outcomes.size());
  std::unordered_map<TaskId, std::size_t> first_of;
  for (const auto& given : outcomes) {
    auto known = rows.find(given.outcome.id);
    if (rows.failed()) return fail(database->failure());
    if (!known) {
      const auto [first, is_first] = first_of.emplace(given.outcome.id, sorted.answers.size());
      if (is_first) {
        sorted.fresh.push_back(&given);
        known = OutcomeRows::as_found(given.outcome);
      } else {
        known = sorted.answers[first->second];
      }
    }
    sorted.answers.push_back(*std::move(known));
  }
  return sorted;
}

Result<std::vector<std::vector<PictureRow>>, StoreError> SqliteStore::Parts::write_pictures(
    std::span<const OutcomeToStore* const> outcomes) {
  std::vector<std::vector<PictureRow>> rows_of(outcomes.size());
  std::vector<PictureFile> files;
  std::unordered_set<std::string> planned;
  const auto taken = [&](const std::string& path) {
    return planned.count(path) > 0 || rows.has_picture(path);
  };
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto& given = *outcomes[i];
    if (given.outcome.status != Status::ok) continue;
    const auto count = std::min(given.record.artefacts.size(), given.artefacts.size());
    for (std::size_t k = 0; k < count; ++k) {
      const auto& artefact = given.record.artefacts[k];
      auto path = choose_picture_path(artefact, given.description.origin, given.outcome.id, taken);
      if (rows.failed()) return fail(database->failure());
      planned.insert(path);
      files.push_back({path, given.artefacts[k]});
      rows_of[i].push_back({path.substr(0, path.find('/')), path, given.artefacts[k].size()});
    }
  }
  if (const auto written = pictures.write(files); !written) return fail(written.error());
  return rows_of;
}

Result<void, StoreError> SqliteStore::Parts::write_rows(
    Transaction& transaction, std::span<const OutcomeToStore* const> outcomes,
    std::span<const std::vector<PictureRow>> pictures_of) {
  if (outcomes.empty()) return {};
  const auto stored_at = time_text(options.now_ms());
  failpoint("store.rows.begun");
  dead_letters.begin();
  auto row = last_row;
  std::optional<OutcomeRow> inserted;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!rows.insert(*outcomes[i], stored_at, pictures_of[i], inserted)) {
      return fail(database->failure());
    }
    if (inserted) row = inserted->id;
    if (inserted && ndjson) fresh_lines.add(*inserted);
    failpoint("store.rows.inserted");
  }
  const auto position = ndjson ? ndjson->synced() : recorded;
  if (!(position == recorded) && !record_position.run(position.row, position.bytes)) {
    return fail(database->failure());
  }
  const auto database_bytes = database->used_bytes();
  failpoint("store.commit.before");
  if (!transaction.commit()) return fail(database->failure());
  failpoint("store.commit.after");
  dead_letters.committed();
  recorded = position;
  last_row = row;
  stats.database_bytes = database_bytes;
  for (const auto& of_one : pictures_of) {
    for (const auto& picture : of_one) {
      ++stats.pictures;
      stats.picture_bytes += picture.bytes;
    }
  }
  return {};
}

Result<void, StoreError> SqliteStore::Parts::write_ndjson(const FreshLines& fresh) {
  if (!ndjson) return {};
  auto done = ndjson->append_new(fresh);
  if (done) done = ndjson->sync_if_grown(kNdjsonSyncBytes);
  // The rows are committed and the lines can be made from them later: no reason to refuse the
  // batch.
  if (!done && done.error().kind == StoreError::Kind::full) return {};
  return done;
}

void SqliteStore::Parts::close() {
  failpoint("store.close.before");
  // Everything is committed; what fails here is done again by the next open().
  if (ndjson && write_ndjson({}) && ndjson->sync_if_grown(1)) {
    const auto position = ndjson->synced();
    static_cast<void>(position == recorded || record_position.run(position.row, position.bytes));
  }
  static_cast<void>(database->checkpoint());  // what readers allow, and then all, if they do
  static_cast<void>(database->empty_log());
  failpoint("store.close.after");
}

}  // namespace framefleet::sink
