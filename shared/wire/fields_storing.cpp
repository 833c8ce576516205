#include "shared/wire/fields_storing.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::wire {

std::vector<HistoryRow> history_rows(const std::vector<Outcome>& outcomes) {
  std::vector<HistoryRow> rows;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    for (const auto& record : outcomes[i].history) {
      rows.push_back({static_cast<std::uint32_t>(i), record});
    }
  }
  return rows;
}

bool hand_out(std::vector<HistoryRow> rows, std::vector<Outcome>& outcomes) {
  for (auto& row : rows) {
    if (row.of >= outcomes.size()) return false;
    outcomes[row.of].history.push_back(std::move(row.record));
  }
  return true;
}

bool histories_are_short(const std::vector<Outcome>& outcomes) {
  return std::all_of(outcomes.begin(), outcomes.end(),
                     [](const Outcome& outcome) { return outcome.history.size() <= kHistoryMax; });
}

}  // namespace framefleet::wire
