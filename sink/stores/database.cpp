#include "sink/stores/database.hpp"

#include "shared/base/assert.hpp"
#include "shared/base/failpoint.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cmath>

namespace framefleet::sink {
namespace {

constexpr int kBusyTimeoutMs = 5000;
/// The write-ahead log is copied into the database when it has grown to this (4 MiB).
constexpr int kCheckpointPages = 1000;

/// SQLite counts every byte that it has of malloc, under a lock of all its connections, and nobody
/// looks. Where SQLite has begun already it goes on counting.
void count_no_memory() {
  static const int asked_once = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(asked_once);
}

}  // namespace

struct Database::Prepared {
  explicit Prepared(Database& database)
      : begin_read(database, "BEGIN"),
        begin_write(database, "BEGIN IMMEDIATE"),
        commit(database, "COMMIT"),
        page_count(database, "PRAGMA page_count"),
        free_count(database, "PRAGMA freelist_count"),
        page_size(database, "PRAGMA page_size") {}

  Statement begin_read;
  Statement begin_write;
  Statement commit;
  Statement page_count;
  Statement free_count;
  Statement page_size;
};

bool SqlError::is_full() const {
  const int primary = code & 0xff;
  if (primary == SQLITE_FULL) return true;
  if (primary != SQLITE_IOERR || code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) {
    return false;
  }
  return system_errno == ENOSPC || system_errno == EDQUOT;
}

bool SqlError::is_not_a_database() const { return (code & 0xff) == SQLITE_NOTADB; }

Result<std::unique_ptr<Database>, SqlError> Database::open(const std::filesystem::path& file,
                                                           Access access) {
  count_no_memory();
  sqlite3* connection = nullptr;
  const int mode =
      access == Access::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  const int code = sqlite3_open_v2(file.c_str(), &connection, mode | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> database(new Database(connection));
  if (code != SQLITE_OK) return fail(database->error());
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, kBusyTimeoutMs);
  // SQLite's own checkpoint at the close locks out whoever opens the file at that moment.
  sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  // Checkpoints are explicit, because SQLite's automatic ones swallow their errors; this hook
  // replaces them (and `PRAGMA wal_autocheckpoint` would replace this hook).
  sqlite3_wal_hook(connection, &Database::on_commit_logged, database.get());
  return database;
}

Database::Database(sqlite3* connection) : connection_(connection) {}

Database::~Database() {
  prepared_.reset();
  sqlite3_close_v2(connection_);
}

int Database::on_commit_logged(void* self, sqlite3* /*connection*/, const char* /*schema*/,
                               int pages) {
  static_cast<Database*>(self)->log_pages_ = pages;
  return SQLITE_OK;
}

bool Database::execute(const std::string& sql) {
  return sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
}

std::optional<std::int64_t> Database::number(const std::string& sql) {
  Statement statement(*this, sql);
  if (!statement.start() || !statement.next() || statement.is_null(0)) return std::nullopt;
  return statement.integer(0);
}

std::optional<std::string> Database::text(const std::string& sql) {
  Statement statement(*this, sql);
  if (!statement.start() || !statement.next() || statement.is_null(0)) return std::nullopt;
  return std::string(statement.text(0));
}

std::int64_t Database::last_row_id() const { return sqlite3_last_insert_rowid(connection_); }

bool Database::in_transaction() const { return sqlite3_get_autocommit(connection_) == 0; }

Database::Prepared& Database::prepared() {
  if (!prepared_) prepared_ = std::make_unique<Prepared>(*this);
  return *prepared_;
}

bool Database::begin(Access access) {
  return access == Access::write ? prepared().begin_write.run() : prepared().begin_read.run();
}

bool Database::commit() { return prepared().commit.run(); }

bool Database::checkpoint() {
  int pages = 0;
  int copied = 0;
  failpoint("store.checkpoint.before");
  const int code =
      sqlite3_wal_checkpoint_v2(connection_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
  failpoint("store.checkpoint.after");
  if (code == SQLITE_OK && copied == pages) log_pages_ = 0;
  return code == SQLITE_OK || code == SQLITE_BUSY;
}

bool Database::checkpoint_if_grown() {
  return log_pages_ < kCheckpointPages || checkpoint() || error().is_full();
}

std::uint64_t Database::log_bytes() {
  if (log_bytes_ && log_pages_ <= log_pages_seen_) return *log_bytes_;
  std::error_code error;
  const auto bytes = std::filesystem::file_size(
      std::string(sqlite3_db_filename(connection_, "main")) + "-wal", error);
  log_bytes_ = error ? 0 : bytes;
  log_pages_seen_ = log_pages_;
  return *log_bytes_;
}

std::uint64_t Database::used_bytes() {
  const auto first_of = [](Statement& statement) {
    const auto value = statement.start() && statement.next() ? statement.integer(0) : 0;
    statement.reset();
    return value;
  };
  auto& with = prepared();
  const auto pages = first_of(with.page_count) - first_of(with.free_count);
  return static_cast<std::uint64_t>(pages * first_of(with.page_size));
}

void Database::return_pages() { static_cast<void>(execute("PRAGMA incremental_vacuum(2000)")); }

bool Database::empty_log() {
  sqlite3_busy_timeout(connection_, 0);
  const int code =
      sqlite3_wal_checkpoint_v2(connection_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_timeout(connection_, kBusyTimeoutMs);
  log_bytes_.reset();
  return code == SQLITE_OK;
}

SqlError Database::error() const {
  if (connection_ == nullptr) return {SQLITE_NOMEM, 0, "out of memory"};
  const int code = sqlite3_extended_errcode(connection_);
  const int system = sqlite3_system_errno(connection_);
  const bool from_system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  std::string text = sqlite3_errmsg(connection_);
  if (from_system && system != 0) text += ": " + std::generic_category().message(system);
  return {code, from_system ? system : 0, std::move(text)};
}

StoreError Database::failure() const {
  const auto found = error();
  const char* file = connection_ == nullptr ? nullptr : sqlite3_db_filename(connection_, "main");
  return {found.is_full() ? StoreError::Kind::full : StoreError::Kind::failed,
          fmt::format("cannot use {}: {}", file == nullptr ? "the database" : file, found.text)};
}

Transaction::~Transaction() {
  if (database_.in_transaction()) static_cast<void>(database_.execute("ROLLBACK"));
}

Statement::Statement(Database& database, std::string_view sql) {
  sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()),
                     SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  parameters_ = static_cast<std::size_t>(sqlite3_bind_parameter_count(statement_));
}

Statement::~Statement() { sqlite3_finalize(statement_); }

bool Statement::takes(std::size_t values) const {
  FRAMEFLEET_ASSERT(!usable() || values == parameters_);
  return usable();
}

bool Statement::next() {
  stepped_ = true;
  const int code = sqlite3_step(statement_);
  failed_ = code != SQLITE_ROW && code != SQLITE_DONE;
  return code == SQLITE_ROW;
}

bool Statement::finish() { return !next() && !failed_; }

void Statement::reset() {
  if (!stepped_) return;
  sqlite3_reset(statement_);
  stepped_ = false;
  failed_ = false;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string_view Statement::text(int column) const {
  // A blob reads back the bytes of both kinds; for text they are its UTF-8.
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  if (bytes == nullptr || size <= 0) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

bool Statement::bind(int index, std::int64_t value) {
  return sqlite3_bind_int64(statement_, index, value) == SQLITE_OK;
}

bool Statement::bind(int index, double value) {
  if (!std::isfinite(value)) return bind(index, Null{});
  return sqlite3_bind_double(statement_, index, value) == SQLITE_OK;
}

bool Statement::bind(int index, std::string_view value) {
  // A view without bytes may have no pointer either, which SQLite would take for NULL.
  const char* bytes = value.empty() ? "" : value.data();
  return sqlite3_bind_text64(statement_, index, bytes, value.size(), nullptr, SQLITE_UTF8) ==
         SQLITE_OK;
}

bool Statement::bind(int index, Blob value) {
  if (value.bytes.empty()) return sqlite3_bind_zeroblob(statement_, index, 0) == SQLITE_OK;
  return sqlite3_bind_blob64(statement_, index, value.bytes.data(), value.bytes.size(), nullptr) ==
         SQLITE_OK;
}

bool Statement::bind(int index, Null) { return sqlite3_bind_null(statement_, index) == SQLITE_OK; }

}  // namespace framefleet::sink
