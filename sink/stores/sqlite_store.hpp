#pragma once
// The store of one output folder: `results.sqlite`, `results.ndjson` and the pictures beside them
// (docs/STORE.md describes every table, file and field).
//
// Invariants: this object's connection alone writes and checkpoints; others read with mode=ro. A
// picture is on disk before the row that names it, a row before the NDJSON line made from it. A
// lock file keeps a second sink out of the folder. Threads: as ResultStore. Errors: open() says
// what is wrong with the folder or file and what to do (exit codes 69, 73, 74); StoreError
// afterwards.

#include "sink/stores/result_store.hpp"
#include "sink/stores/retention.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace framefleet::sink {

struct SqliteStoreOptions {
  std::filesystem::path folder;  ///< Created if need be.
  bool ndjson{true};             ///< Also write results.ndjson.
  Retention retention;
  /// Of the pictures of all dead letters together. Over it the oldest ones go, and one that is
  /// larger by itself is not kept; their rows stay.
  std::uint64_t dead_letters_bytes_max{std::uint64_t{1} << 30U};
  /// The wall clock for `stored_at`: Unix, milliseconds. Required.
  std::function<std::int64_t()> now_ms;
  std::string build;  ///< Of this program, kept in `meta` of a new store.
  /// A cap on the database in pages of 4096 bytes, 0: none. At the cap commits answer `full`.
  std::uint32_t pages_max{0};
};

class SqliteStore final : public ResultStore {
 public:
  /// Also on a full disk, once it was open: it keeps a reserve for that.
  static Result<std::unique_ptr<SqliteStore>, Error> open(const SqliteStoreOptions& options);
  ~SqliteStore() override;

  Result<std::vector<SettledTask>, StoreError> commit(
      std::span<const OutcomeToStore> outcomes) override;
  Result<std::vector<SettledTask>, StoreError> find(std::span<const TaskId> tasks) override;
  Result<PruneStep, StoreError> prune(std::int64_t now_ms) override;
  Result<ControlAnswer, StoreError> carry_out(const Control& control,
                                              std::uint64_t frame_bytes_max) override;
  const std::string& uuid() const override;
  StoreStats stats() const override;

 private:
  struct Parts;  ///< Connection, statements and files: keeps SQLite out of this header.
  explicit SqliteStore(std::unique_ptr<Parts> parts);
  Result<std::vector<SettledTask>, StoreError> try_commit(std::span<const OutcomeToStore> outcomes);
  static Result<std::unique_ptr<SqliteStore>, Error> try_open(const SqliteStoreOptions& options);

  std::unique_ptr<Parts> parts_;
};

}  // namespace framefleet::sink
