#pragma once
// The keys of the messages between the broker and a sink (docs/PROTOCOL.md section 8).
//
// The histories of all outcomes of a message are one list beside `outcomes`, because four levels
// are all that a header has: each row says which outcome it is `of`.

#include "shared/base/messages.hpp"
#include "shared/wire/rules.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace framefleet::wire {

struct HistoryRow {
  std::uint32_t of{0};  ///< Index in `outcomes`.
  AttemptRecord record;
  friend bool operator==(const HistoryRow&, const HistoryRow&) = default;
};

template <class V, Of<HistoryRow> M>
void fields(V& v, M& m) {
  v.must("of", m.of, Range{kHeaderLimits.elements});
  v.must("attempt", m.record.attempt, Range{0xFFFF});
  v.may("worker", m.record.worker, Text{});
  v.must("reason", m.record.reason);
  v.may("text", m.record.text, Prose{});
}

template <class V, Of<Outcome> M>
void fields(V& v, M& m) {
  v.must("id", m.id);
  v.must("source", m.source, Text{.bytes_min = 1});
  v.may("job", m.job, Text{});
  v.may("class", m.task_class);
  v.must("status", m.status);
  v.may("reason", m.reason);
  v.may("text", m.text, Prose{});
  v.may("attempts", m.attempts, Range{0xFFFF});
  v.may("worker", m.worker, Text{});
  v.may("build", m.build, Text{});
  v.may("queued_us", m.queued, Micros{});
  v.may("leased_us", m.leased, Micros{});
  v.may("worked_us", m.worked, Micros{});
  v.may("task", m.task, Bytes{kTaskLimits.bytes});  // a damaged journal may not know it
  v.may("revived_from", m.revived_from);
  v.payload(m.payload);
}

/// All histories as rows, in order.
std::vector<HistoryRow> history_rows(const std::vector<Outcome>& outcomes);
/// The inverse; false if a row is of no outcome.
bool hand_out(std::vector<HistoryRow> rows, std::vector<Outcome>& outcomes);
bool histories_are_short(const std::vector<Outcome>& outcomes);

template <class V, Of<Outcomes> M>
void fields(V& v, M& m) {
  v.must("outcomes", m.outcomes, ListOf<>{});
  std::vector<HistoryRow> rows;
  if constexpr (V::kReads) {
    v.may("history", rows, ListOf<>{});
    v.check(hand_out(std::move(rows), m.outcomes), "history", "a row is of no outcome");
  } else {
    rows = history_rows(m.outcomes);
    v.may("history", rows, ListOf<>{});
  }
  v.check(histories_are_short(m.outcomes), "history", "over 16 rows of one outcome");
}

template <class V, Of<Stored> M>
void fields(V& v, M& m) {
  v.must("tasks", m.tasks, ListOf<>{});
}

}  // namespace framefleet::wire
