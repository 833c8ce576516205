#include "sink/stores/pruner.hpp"

#include "sink/stores/text.hpp"

#include "shared/base/failpoint.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace framefleet::sink {
namespace {

constexpr std::size_t kOutcomesPerStep = 256;
/// Of dead letters: their rows are rewritten, and have to fit into the log beside all else.
constexpr std::uint64_t kLetterBytesPerStep = std::uint64_t{16} << 20U;

}  // namespace

struct Pruner::Selection {
  std::vector<std::int64_t> outcomes;
  std::vector<std::string> files;
  std::uint64_t file_bytes{0};
  bool more{false};
};

Pruner::Pruner(Database& database, PictureWriter& pictures, DeadLetters& dead_letters,
               Retention retention)
    : database_(database), pictures_(pictures), dead_letters_(dead_letters), retention_(retention) {
  pruned_through_ =
      database.number("SELECT value FROM meta WHERE key = 'pruned_through'").value_or(0);
}

Result<PruneStep, StoreError> Pruner::step(std::int64_t now_ms, std::uint64_t& picture_bytes) {
  Selection selection;
  if (!select(now_ms, picture_bytes, selection)) return fail(database_.failure());
  if (selection.outcomes.empty()) return PruneStep{.excess_bytes = excess(picture_bytes)};
  failpoint("store.prune.before");
  if (!write_down(selection)) return fail(database_.failure());
  if (const auto done = empty(selection); !done) return fail(done.error());
  picture_bytes -= selection.file_bytes;
  database_.return_pages();
  return PruneStep{selection.outcomes.size(), selection.files.size(), selection.more,
                   selection.more ? 0 : excess(picture_bytes)};
}

Result<void, StoreError> Pruner::finish() {
  const auto through = database_.number("SELECT value FROM meta WHERE key = 'pruning_through'");
  if (through.value_or(0) <= pruned_through_) return {};
  Selection selection;
  if (!select_begun(*through, selection)) return fail(database_.failure());
  return empty(selection);
}

bool Pruner::write_down(const Selection& selection) {
  Statement begun(database_,
                  "INSERT OR REPLACE INTO meta (key, value) VALUES ('pruning_through', ?1)");
  return begun.run(selection.outcomes.back());
}

Result<void, StoreError> Pruner::empty(const Selection& selection) {
  for (const auto& file : selection.files) {
    if (const auto removed = pictures_.remove(file); !removed) return fail(removed.error());
  }
  failpoint("store.prune.files");
  if (!empty_rows(selection)) return fail(database_.failure());
  failpoint("store.prune.after");
  pruned_through_ = selection.outcomes.back();
  return {};
}

std::uint64_t Pruner::excess(std::uint64_t picture_bytes) {
  const auto used = database_.used_bytes() + picture_bytes;
  return retention_.keep_bytes > 0 && used > retention_.keep_bytes ? used - retention_.keep_bytes
                                                                   : 0;
}

bool Pruner::select(std::int64_t now_ms, std::uint64_t picture_bytes, Selection& selection) {
  const bool by_age = retention_.keep.count() > 0;
  const auto cutoff =
      by_age ? iso_time(now_ms - retention_.keep.count()).value_or(std::string()) : std::string();
  auto to_free = excess(picture_bytes);
  std::uint64_t letter_bytes = 0;
  const bool over_cap = to_free > 0;
  Statement oldest(database_,
                   "SELECT id, stored_at, (SELECT coalesce(sum(length(bytes)), 0) FROM "
                   "dead_letter_rows WHERE outcome = outcomes.id) FROM outcomes WHERE id > ?1 "
                   "ORDER BY id");
  if (!oldest.start(pruned_through_)) return false;
  while (oldest.next()) {
    if (oldest.text(1) > cutoff && to_free == 0) {
      // What the rows themselves took is known only when they are gone: look again after this step.
      selection.more = over_cap && !selection.outcomes.empty();
      return true;
    }
    if (selection.outcomes.size() == kOutcomesPerStep || letter_bytes >= kLetterBytesPerStep) {
      selection.more = true;
      return true;
    }
    selection.outcomes.push_back(oldest.integer(0));
    const auto before = selection.file_bytes;
    if (!add_files(selection, oldest.integer(0))) return false;
    const auto letter = static_cast<std::uint64_t>(oldest.integer(2));
    letter_bytes += letter;
    const auto freed = selection.file_bytes - before + letter;
    to_free -= std::min(to_free, freed);
  }
  return !oldest.failed();
}

bool Pruner::select_begun(std::int64_t through, Selection& selection) {
  Statement begun(database_, "SELECT id FROM outcomes WHERE id > ?1 AND id <= ?2 ORDER BY id");
  if (!begun.start(pruned_through_, through)) return false;
  while (begun.next()) {
    selection.outcomes.push_back(begun.integer(0));
    if (!add_files(selection, begun.integer(0))) return false;
  }
  return !begun.failed();
}

bool Pruner::add_files(Selection& selection, std::int64_t outcome) {
  Statement files(database_, "SELECT path, bytes FROM picture_rows WHERE outcome = ?1");
  if (!files.start(outcome)) return false;
  while (files.next()) {
    selection.files.emplace_back(files.text(0));
    selection.file_bytes += static_cast<std::uint64_t>(files.integer(1));
  }
  return !files.failed();
}

bool Pruner::empty_rows(const Selection& selection) {
  constexpr std::array<std::string_view, 5> kPerOutcome{
      "DELETE FROM detection_rows WHERE run IN (SELECT id FROM detector_run_rows WHERE outcome = "
      "?1)",
      "DELETE FROM detector_run_rows WHERE outcome = ?1",
      "DELETE FROM attempt_rows WHERE outcome = ?1", "DELETE FROM picture_rows WHERE outcome = ?1",
      "UPDATE outcomes SET pruned = 1 WHERE id = ?1"};
  Transaction transaction(database_);
  if (!transaction.begin()) return false;
  dead_letters_.begin();
  for (const auto outcome : selection.outcomes) {
    if (!dead_letters_.forget(outcome)) return false;
  }
  for (const auto sql : kPerOutcome) {
    Statement statement(database_, sql);
    for (const auto outcome : selection.outcomes) {
      if (!statement.run(outcome)) return false;
    }
  }
  Statement mark(database_,
                 "INSERT OR REPLACE INTO meta (key, value) VALUES ('pruned_through', ?1)");
  if (!mark.run(selection.outcomes.back()) || !transaction.commit()) return false;
  dead_letters_.committed();
  return true;
}

}  // namespace framefleet::sink
