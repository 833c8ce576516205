#include "shared/wire/fields_storing.hpp"

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
    auto& history = outcomes[row.of].history;
    if (history.size() == kHistoryMax) return false;
    history.push_back(std::move(row.record));
  }
  return true;
}

}  // namespace framefleet::wire
