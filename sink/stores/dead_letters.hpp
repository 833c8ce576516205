#pragma once
// The bytes of dead letters: kept with their outcomes, dropped oldest first where all of them
// together are over a cap. A letter is kept whole or not at all; its rows stay and say what was
// dropped.
//
// Invariant: once committed() was called, totals() is what the database has; what a transaction
// that failed had counted is forgotten by the next begin(). Threads, lifetime: those of the
// database. Errors: false, the reason in Database::error().

#include "sink/stores/database.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace framefleet::sink {

struct DeadLetterTotals {
  std::uint64_t letters{0};        ///< Failed outcomes that retention has left.
  std::uint64_t bytes{0};          ///< Kept of their pictures.
  std::uint64_t bytes_dropped{0};  ///< Since opening: by the cap and by drop().
};

class DeadLetters {
 public:
  /// `bytes_max`: of all of them together.
  DeadLetters(Database& database, std::uint64_t bytes_max);

  bool usable() const;
  /// Counts what the database has; once, before anything else.
  [[nodiscard]] bool count();
  DeadLetterTotals totals() const { return committed_; }

  /// Around every transaction in which one of the functions below is called.
  void begin() { now_ = committed_; }
  void committed() { committed_ = now_; }

  /// Keeps the frames of an outcome that failed; makes place for them among the older ones.
  [[nodiscard]] bool keep(std::int64_t outcome, std::span<const std::string_view> frames);
  /// Drops the bytes of an outcome's letter; returns how many, 0 where there are none.
  std::optional<std::uint64_t> drop(std::int64_t outcome);
  /// Removes the rows of an outcome, which is about to be pruned.
  [[nodiscard]] bool forget(std::int64_t outcome);
  /// The oldest outcome whose bytes are kept; 0: none. Nothing: an error.
  std::optional<std::int64_t> oldest_kept();

 private:
  bool make_place(std::uint64_t bytes);

  Database& database_;
  const std::uint64_t bytes_max_;
  Statement oldest_;
  Statement kept_;
  Statement insert_;
  Statement drop_;
  Statement is_letter_;
  Statement remove_;
  DeadLetterTotals committed_;
  DeadLetterTotals now_;
};

}  // namespace framefleet::sink
