#pragma once
// Carries out retention, oldest outcome first, a bounded number at a time. Files go before the rows
// that name them: a step that is cut short is simply done again. Threads: that of the database.
// Errors: StoreError.

#include "sink/stores/database.hpp"
#include "sink/stores/dead_letters.hpp"
#include "sink/stores/picture_writer.hpp"
#include "sink/stores/retention.hpp"

namespace framefleet::sink {

class Pruner {
 public:
  /// All three outlive this object.
  Pruner(Database& database, PictureWriter& pictures, DeadLetters& dead_letters,
         Retention retention);

  /// `picture_bytes`: of all picture files now; made smaller by those that go.
  Result<PruneStep, StoreError> step(std::int64_t now_ms, std::uint64_t& picture_bytes);

 private:
  struct Selection;
  /// False: an error.
  bool select(std::int64_t now_ms, std::uint64_t picture_bytes, Selection& selection);
  bool add_files(Selection& selection, std::int64_t outcome);
  bool empty_rows(const Selection& selection);

  Database& database_;
  PictureWriter& pictures_;
  DeadLetters& dead_letters_;
  const Retention retention_;
  std::int64_t pruned_through_{0};  ///< outcomes.id up to which everything is pruned.
};

/// Bytes of the pages in use.
std::uint64_t used_bytes(Database& database);

}  // namespace framefleet::sink
