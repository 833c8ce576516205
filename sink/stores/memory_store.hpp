#pragma once
// A ResultStore in memory: for tests and simulations. It keeps every outcome as it was given, and
// can be told to fail. Threads, errors: as ResultStore.

#include "sink/stores/result_store.hpp"

#include <deque>
#include <unordered_map>

namespace framefleet::sink {

class MemoryStore final : public ResultStore {
 public:
  explicit MemoryStore(std::string uuid = "00000000-0000-4000-8000-000000000000");

  Result<std::vector<SettledTask>, StoreError> commit(
      std::span<const OutcomeToStore> outcomes) override;
  Result<std::vector<SettledTask>, StoreError> find(std::span<const TaskId> tasks) override;
  /// Keeps everything: there is nothing to prune.
  Result<PruneStep, StoreError> prune(std::int64_t now_ms) override;
  /// Keeps no pictures: there is no dead letter.
  Result<ControlAnswer, StoreError> carry_out(const Control& control,
                                              std::uint64_t frame_bytes_max) override;
  const std::string& uuid() const override { return uuid_; }
  StoreStats stats() const override { return stats_; }

  /// The next commit fails like this and stores nothing; called n times, the next n commits do.
  void fail_next_commit(StoreError error) { errors_.push_back(std::move(error)); }
  /// The stored outcome, or nullptr. Its views (artefacts, picture) are emptied.
  const OutcomeToStore* outcome(const TaskId& task) const;
  /// Ids in the order of their commit.
  const std::vector<TaskId>& order() const { return order_; }

 private:
  std::string uuid_;
  std::unordered_map<TaskId, OutcomeToStore> outcomes_;
  std::vector<TaskId> order_;
  std::deque<StoreError> errors_;
  StoreStats stats_;
};

}  // namespace framefleet::sink
