#include "sink/stores/memory_store.hpp"

namespace framefleet::sink {
namespace {

SettledTask settled(const Outcome& outcome) {
  return {outcome.id, outcome.status, outcome.reason, outcome.text};
}

}  // namespace

MemoryStore::MemoryStore(std::string uuid) : uuid_(std::move(uuid)) {}

Result<std::vector<SettledTask>, StoreError> MemoryStore::commit(
    std::span<const OutcomeToStore> outcomes) {
  if (!errors_.empty()) {
    auto error = std::move(errors_.front());
    errors_.pop_front();
    return fail(std::move(error));
  }
  std::vector<SettledTask> answers;
  answers.reserve(outcomes.size());
  for (const auto& given : outcomes) {
    const auto [at, inserted] = outcomes_.try_emplace(given.outcome.id, given);
    if (inserted) {
      at->second.artefacts.clear();
      at->second.picture.clear();
      order_.push_back(given.outcome.id);
      ++stats_.stored;
    } else {
      ++stats_.duplicates;
    }
    answers.push_back(settled(at->second.outcome));
  }
  ++stats_.commits;
  return answers;
}

Result<std::vector<SettledTask>, StoreError> MemoryStore::find(std::span<const TaskId> tasks) {
  std::vector<SettledTask> found;
  for (const auto& task : tasks) {
    if (const auto at = outcomes_.find(task); at != outcomes_.end()) {
      found.push_back(settled(at->second.outcome));
    }
  }
  return found;
}

Result<PruneStep, StoreError> MemoryStore::prune(std::int64_t /*now_ms*/) { return PruneStep{}; }

Result<ControlAnswer, StoreError> MemoryStore::carry_out(const Control& /*control*/,
                                                         std::uint64_t /*frame_bytes_max*/) {
  return ControlAnswer{Reason::not_found, "a store in memory keeps no dead letters", {}};
}

const OutcomeToStore* MemoryStore::outcome(const TaskId& task) const {
  const auto at = outcomes_.find(task);
  return at == outcomes_.end() ? nullptr : &at->second;
}

}  // namespace framefleet::sink
