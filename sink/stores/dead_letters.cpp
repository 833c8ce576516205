#include "sink/stores/dead_letters.hpp"

#include "shared/base/assert.hpp"
#include "shared/base/failpoint.hpp"

#include <algorithm>
#include <numeric>

namespace framefleet::sink {
namespace {

/// SQLite keeps rows of up to 1 000 000 000 bytes.
constexpr std::size_t kFrameBytesMax = 999'000'000;

std::optional<std::int64_t> first_number(Statement& statement) {
  std::optional<std::int64_t> value;
  if (statement.next()) value = statement.integer(0);
  statement.reset();
  return value;
}

}  // namespace

DeadLetters::DeadLetters(Database& database, std::uint64_t bytes_max)
    : database_(database),
      bytes_max_(bytes_max),
      oldest_(database,
              "SELECT coalesce(min(outcome), 0) FROM dead_letter_rows INDEXED BY kept_dead_letters "
              "WHERE bytes IS NOT NULL"),
      kept_(database,
            "SELECT coalesce(sum(length(bytes)), 0) FROM dead_letter_rows WHERE outcome = ?1"),
      insert_(database,
              "INSERT INTO dead_letter_rows (outcome, frame, bytes_dropped, bytes) "
              "VALUES (?1, ?2, ?3, ?4)"),
      drop_(database,
            "UPDATE dead_letter_rows SET bytes_dropped = length(bytes), bytes = NULL "
            "WHERE outcome = ?1 AND bytes IS NOT NULL"),
      is_letter_(database, "SELECT count(*) FROM outcomes WHERE id = ?1 AND status = 'failed'"),
      remove_(database, "DELETE FROM dead_letter_rows WHERE outcome = ?1") {}

bool DeadLetters::usable() const {
  return oldest_.usable() && kept_.usable() && insert_.usable() && drop_.usable() &&
         is_letter_.usable() && remove_.usable();
}

bool DeadLetters::count() {
  const auto letters = database_.number(
      "SELECT count(*) FROM outcomes INDEXED BY failed_outcomes "
      "WHERE status = 'failed' AND pruned = 0");
  const auto bytes = database_.number(
      "SELECT coalesce(sum(length(bytes)), 0) FROM dead_letter_rows INDEXED BY kept_dead_letters "
      "WHERE bytes IS NOT NULL");
  if (!letters || !bytes) return false;
  committed_ = {static_cast<std::uint64_t>(*letters), static_cast<std::uint64_t>(*bytes), 0};
  return true;
}

bool DeadLetters::keep(std::int64_t outcome, std::span<const std::string_view> frames) {
  ++now_.letters;
  const auto bytes =
      std::accumulate(frames.begin(), frames.end(), std::uint64_t{0},
                      [](std::uint64_t sum, std::string_view frame) { return sum + frame.size(); });
  const bool fits =
      bytes <= bytes_max_ && std::all_of(frames.begin(), frames.end(), [](std::string_view frame) {
        return frame.size() <= kFrameBytesMax;
      });
  if (fits && !make_place(bytes)) return false;
  std::int64_t number = 0;
  for (const auto frame : frames) {
    const auto kept = fits ? std::optional<Blob>(Blob{frame}) : std::nullopt;
    const auto dropped = fits ? std::uint64_t{0} : std::uint64_t{frame.size()};
    if (!insert_.run(outcome, number++, dropped, kept)) return false;
  }
  (fits ? now_.bytes : now_.bytes_dropped) += bytes;
  failpoint("store.dead_letter.kept");
  return true;
}

bool DeadLetters::make_place(std::uint64_t bytes) {
  while (now_.bytes + bytes > bytes_max_) {
    const auto oldest = oldest_kept();
    if (!oldest) return false;
    FRAMEFLEET_ASSERT(*oldest != 0);
    if (!drop(*oldest)) return false;
  }
  return true;
}

std::optional<std::uint64_t> DeadLetters::drop(std::int64_t outcome) {
  if (!kept_.start(outcome)) return std::nullopt;
  const auto kept = first_number(kept_);
  if (!kept || !drop_.run(outcome)) return std::nullopt;
  const auto bytes = static_cast<std::uint64_t>(*kept);
  now_.bytes -= bytes;
  now_.bytes_dropped += bytes;
  return bytes;
}

bool DeadLetters::forget(std::int64_t outcome) {
  if (!kept_.start(outcome)) return false;
  const auto kept = first_number(kept_);
  if (!kept || !is_letter_.start(outcome)) return false;
  const auto letters = first_number(is_letter_);
  if (!letters || !remove_.run(outcome)) return false;
  now_.bytes -= static_cast<std::uint64_t>(*kept);
  now_.letters -= static_cast<std::uint64_t>(*letters);
  return true;
}

std::optional<std::int64_t> DeadLetters::oldest_kept() {
  if (!oldest_.start()) return std::nullopt;
  return first_number(oldest_);
}

}  // namespace framefleet::sink
