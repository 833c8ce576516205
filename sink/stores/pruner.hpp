#pragma once
// Carries out retention, oldest outcome first, a bounded number at a time. A step is written down,
// then the files go, then the rows that name them: one that is cut short is finished when the store
// is opened again, whatever is to be kept by then. Threads: that of the database. Errors:
// StoreError.

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

  /// Ends the step that was cut short, if one was. To be called before the first step().
  Result<void, StoreError> finish();
  /// `picture_bytes`: of all picture files now; made smaller by those that go.
  Result<PruneStep, StoreError> step(std::int64_t now_ms, std::uint64_t& picture_bytes);

 private:
  struct Selection;
  /// Above the size that is to be kept.
  std::uint64_t excess(std::uint64_t picture_bytes);
  /// False: an error.
  bool select(std::int64_t now_ms, std::uint64_t picture_bytes, Selection& selection);
  bool select_begun(std::int64_t through, Selection& selection);
  bool add_files(Selection& selection, std::int64_t outcome);
  bool write_down(const Selection& selection);
  Result<void, StoreError> empty(const Selection& selection);
  bool empty_rows(const Selection& selection);

  Database& database_;
  PictureWriter& pictures_;
  DeadLetters& dead_letters_;
  const Retention retention_;
  std::int64_t pruned_through_{0};  ///< outcomes.id up to which everything is pruned.
};

}  // namespace framefleet::sink
