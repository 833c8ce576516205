#pragma once
// LMDB as this folder uses it: an environment with the tables of a journal, and transactions that
// end with their scope. No option that trades durability for speed is ever set.
//
// Threads: a write transaction begins and ends in one thread; nothing here is for two at a time.
// Errors: LmdbError, with LMDB's own code.

#include "broker/journals/tables.hpp"

#include "shared/base/result.hpp"

#include <lmdb.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace framefleet::broker {

struct LmdbError {
  int code{0};
  /// No room: nothing of the transaction was written.
  bool is_full() const;
  std::string text() const;
};

class LmdbTransaction;

class LmdbEnvironment {
 public:
  enum class Use : std::uint8_t {
    journal,   ///< A folder with LMDB's lock file; a backup may read while the broker writes.
    read,      ///< The same folder, by whoever only reads.
    lone_file  ///< One file that nobody else knows.
  };
  /// `bytes_max`: 0 takes that of the file. Requires: this process has it open once at most.
  static Result<LmdbEnvironment, LmdbError> open(const std::filesystem::path& path, Use use,
                                                 std::uint64_t bytes_max);

  /// The size of the file.
  std::uint64_t bytes_max() const;

  /// A copy without free pages, as it is at one moment, while others read and write.
  Result<void, LmdbError> copy_to(int descriptor) const;

  MDB_env* get() const { return environment_.get(); }

 private:
  struct Close {
    void operator()(MDB_env* environment) const { ::mdb_env_close(environment); }
  };
  explicit LmdbEnvironment(MDB_env* environment) : environment_(environment) {}

  friend class LmdbTransaction;
  std::unique_ptr<MDB_env, Close> environment_;
};

/// What is not committed when it goes out of scope never was.
class LmdbTransaction {
 public:
  enum class Access : std::uint8_t { read, write };
  /// `Access::write` makes the tables that are missing.
  static Result<LmdbTransaction, LmdbError> begin(const LmdbEnvironment& environment,
                                                  Access access);

  std::uint64_t number() const { return ::mdb_txn_id(transaction_.get()); }

  /// Nothing: there is no such key.
  Result<std::optional<std::string_view>, LmdbError> get(Table table, std::string_view key) const;
  Result<void, LmdbError> put(Table table, std::string_view key, std::string_view value);
  /// Room for a value, to be filled before the next call.
  Result<char*, LmdbError> put_room(Table table, std::string_view key, std::size_t bytes);
  /// False: there is no such key.
  Result<bool, LmdbError> remove(Table table, std::string_view key);
  /// In the order of the keys, until `visit` answers false.
  Result<void, LmdbError> each(
      Table table,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const;
  Result<std::uint64_t, LmdbError> count(Table table) const;
  /// Bytes of the pages that hold something.
  std::uint64_t used_bytes() const;

  /// Returns when it is on the disk.
  Result<void, LmdbError> commit();

 private:
  struct Abort {
    void operator()(MDB_txn* transaction) const { ::mdb_txn_abort(transaction); }
  };
  explicit LmdbTransaction(MDB_txn* transaction) : transaction_(transaction) {}
  MDB_dbi dbi(Table table) const { return tables_.at(static_cast<std::size_t>(table)); }

  std::unique_ptr<MDB_txn, Abort> transaction_;
  std::array<MDB_dbi, kTableCount> tables_{};
};

}  // namespace framefleet::broker
