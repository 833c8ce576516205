#pragma once
// `results.ndjson`: one line of JSON per row of `outcomes`, in the order of their ids, written
// after each commit (fields: docs/STORE.md): those that were spelled while their rows were, or else
// read from the database.
//
// Invariant: the file is the lines of the rows 1 … position().row and nothing else, except while
// append_new() writes. A position that is on disk is recorded in the database with the next commit;
// open() cuts the file back to the recorded one, and the rows after it are written again, byte for
// byte the same unless retention or a revival has changed their rows since. A file that does not
// reach the recorded position is written anew. Threads: that of the database. Errors: StoreError;
// after `full` the file is behind and stays whole.

#include "sink/stores/database.hpp"
#include "sink/stores/file.hpp"
#include "sink/stores/outcome_row.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace framefleet::sink {

struct NdjsonPosition {
  std::int64_t row{0};     ///< outcomes.id of the last line; 0: none.
  std::uint64_t bytes{0};  ///< Length of the file after that line.

  friend bool operator==(const NdjsonPosition&, const NdjsonPosition&) = default;
};

/// The lines of one commit, spelled while its rows are written. Bounded: of a commit with very many
/// detections it keeps nothing, and the lines are read from the database.
class FreshLines {
 public:
  /// Begins anew. `last_row`: outcomes.id of the last row that is committed.
  void begin(std::int64_t last_row);
  /// Of an inserted row, in the order of their ids.
  void add(const OutcomeRow& row);

 private:
  friend class NdjsonWriter;
  std::string text_;
  std::int64_t after_{0};
  std::int64_t last_{0};
  bool whole_{false};
};

class NdjsonWriter {
 public:
  /// `recorded` is what the database says; `database` outlives the writer.
  static Result<std::unique_ptr<NdjsonWriter>, StoreError> open(const std::filesystem::path& file,
                                                                Database& database,
                                                                NdjsonPosition recorded);
  ~NdjsonWriter();
  NdjsonWriter(const NdjsonWriter&) = delete;
  NdjsonWriter& operator=(const NdjsonWriter&) = delete;

  /// Appends the lines of all rows committed since the last call: `fresh` is those of the latest
  /// commit, or empty.
  Result<void, StoreError> append_new(const FreshLines& fresh);
  /// Syncs the file when at least `bytes_min` were appended since the last time.
  Result<void, StoreError> sync_if_grown(std::uint64_t bytes_min);

  NdjsonPosition position() const { return position_; }
  /// What may be recorded in the database: every byte before it is on disk.
  NdjsonPosition synced() const { return synced_; }

 private:
  class Rows;  ///< Reads them.
  NdjsonWriter(File file, Database& database, NdjsonPosition at);
  Result<void, StoreError> append_from_database();
  Result<void, StoreError> append(const std::string& lines, std::int64_t last_row);

  Database& database_;
  File file_;
  std::unique_ptr<Rows> rows_;
  NdjsonPosition position_;
  NdjsonPosition synced_;
};

}  // namespace framefleet::sink
