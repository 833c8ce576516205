#pragma once
// SQLite as this folder uses it: a connection and its prepared statements, without exceptions and
// without SQLite's header.
//
// Invariant: an operation that returns false left its reason in Database::error() until the next
// one. Threads: a connection and its statements are used by one thread at a time. Lifetime: a
// Database does not move, and outlives its statements. Text and blobs that are bound are not
// copied: they must stay until the statement has been run, or its rows read.

#include "sink/stores/result_store.hpp"

#include "shared/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace framefleet::sink {

class Statement;

struct Null {};
struct Blob {
  std::string_view bytes;
};

enum class Access : std::uint8_t { read, write };

struct SqlError {
  int code{0};          ///< SQLite's extended result code.
  int system_errno{0};  ///< 0 where the system was not involved.
  std::string text;     ///< SQLite's words.

  /// No space or quota left, and nothing else wrong: trying again is safe. Never after a failed
  /// sync.
  bool is_full() const;
  bool is_not_a_database() const;
};

class Database {
 public:
  /// `write` creates the file if need be; `read` opens with mode=ro and waits up to 5 s for a lock.
  static Result<std::unique_ptr<Database>, SqlError> open(const std::filesystem::path& file,
                                                          Access access);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs one or more statements that return no rows.
  [[nodiscard]] bool execute(const std::string& sql);
  /// First column of the first row, or nothing (no row, NULL, or an error).
  std::optional<std::int64_t> number(const std::string& sql);
  std::optional<std::string> text(const std::string& sql);
  std::int64_t last_row_id() const;
  bool in_transaction() const;
  [[nodiscard]] bool begin(Access access);
  [[nodiscard]] bool commit();
  /// Copies what the write-ahead log holds into the file, as far as readers allow. A lock in the
  /// way is no error.
  [[nodiscard]] bool checkpoint();
  /// checkpoint(), once the log has grown enough. A full disk is no error: the log keeps what it
  /// has.
  [[nodiscard]] bool checkpoint_if_grown();
  /// Copies all of it and empties the log, unless a reader needs it; waits for nobody. False: the
  /// log has something that the file has not.
  [[nodiscard]] bool empty_log();
  /// Of the file of the write-ahead log; 0 where there is none.
  std::uint64_t log_bytes();
  /// Of the pages that are in use: within a transaction those of its changes too.
  std::uint64_t used_bytes();
  /// Gives some of the free pages back to the file system: a courtesy, they are reused in any case.
  void return_pages();

  SqlError error() const;
  /// error() for the users of a store, with the name of the file.
  StoreError failure() const;
  sqlite3* handle() const { return connection_; }

 private:
  explicit Database(sqlite3* connection);
  static int on_commit_logged(void* self, sqlite3* connection, const char* schema, int pages);

  struct Prepared;
  Prepared& prepared();

  sqlite3* connection_;
  std::unique_ptr<Prepared> prepared_;  // what is said around every commit; once it was
  int log_pages_{0};                    // waiting in the write-ahead log after the latest commit
  int log_pages_seen_{0};               // the most that the log has held since it was measured
  std::optional<std::uint64_t> log_bytes_;
};

/// A transaction that is rolled back unless commit() succeeded.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  [[nodiscard]] bool begin() { return database_.begin(Access::write); }
  [[nodiscard]] bool commit() { return database_.commit(); }

 private:
  Database& database_;
};

/// Reads that see one state of the database. Without it every statement takes and gives back a lock
/// of its own, which costs more than what it reads.
class ReadTransaction {
 public:
  explicit ReadTransaction(Database& database)
      : database_(database), begun_(database.execute("BEGIN")) {}
  /// Requires: its statements are reset.
  ~ReadTransaction() {
    if (begun_) static_cast<void>(database_.execute("COMMIT"));
  }
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

 private:
  Database& database_;
  bool begun_;
};

class Statement {
 public:
  /// An unusable statement, with the reason in database.error(), when `sql` cannot be prepared.
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  bool usable() const { return statement_ != nullptr; }

  /// Binds the values to parameters 1, 2, … and runs a statement that returns no rows.
  template <class... Values>
  [[nodiscard]] bool run(const Values&... values) {
    const bool done = start(values...) && finish();
    reset();
    return done;
  }
  /// Binds the values; then next() gives the rows. Requires: a value for each parameter.
  template <class... Values>
  [[nodiscard]] bool start(const Values&... values) {
    reset();
    int index = 0;
    return takes(sizeof...(values)) && (bind(++index, values) && ...);
  }
  /// True: a row is there. False: no more, or an error (then failed() is true).
  bool next();
  bool failed() const { return failed_; }
  /// Lets go of the rows.
  void reset();

  std::int64_t integer(int column) const;
  double real(int column) const;
  /// Valid until next() or reset(). NULL reads as "".
  std::string_view text(int column) const;
  bool is_null(int column) const;

 private:
  /// False where the statement is unusable.
  bool takes(std::size_t values) const;
  bool finish();
  bool bind(int index, std::int64_t value);
  bool bind(int index, std::uint64_t value) {
    return bind(index, static_cast<std::int64_t>(value));
  }
  bool bind(int index, std::uint32_t value) { return bind(index, std::int64_t{value}); }
  bool bind(int index, int value) { return bind(index, std::int64_t{value}); }
  bool bind(int index, bool value) { return bind(index, std::int64_t{value}); }
  bool bind(int index, double value);  ///< NULL where it is not finite.
  bool bind(int index, std::string_view value);
  bool bind(int index, const std::string& value) { return bind(index, std::string_view(value)); }
  bool bind(int index, Blob value);
  bool bind(int index, Null);
  template <class Value>
  bool bind(int index, const std::optional<Value>& value) {
    return value ? bind(index, *value) : bind(index, Null{});
  }

  sqlite3_stmt* statement_{nullptr};
  std::size_t parameters_{0};
  bool stepped_{false};  // since it was reset
  bool failed_{false};
};

}  // namespace framefleet::sink
