#pragma once
// Which of a run's tasks have come out at its end, each by its number: a figure of a run that lost
// a task, or did one twice, is worth nothing. Plain; threads: one.

#include <cstdint>
#include <string>
#include <vector>

namespace framefleet::bench {

class TaskBook {
 public:
  explicit TaskBook(std::uint64_t count) : seen_(count, false) {}

  /// False: it was here before, or there is no such task.
  bool note(std::uint64_t number);

  std::uint64_t distinct() const { return distinct_; }
  std::uint64_t repeated() const { return repeated_; }
  std::uint64_t strange() const { return strange_; }
  bool complete() const { return distinct_ == seen_.size(); }
  /// What is wrong, in words; "": each came out, once.
  std::string fault() const;

 private:
  std::vector<bool> seen_;
  std::uint64_t distinct_{0};
  std::uint64_t repeated_{0};
  std::uint64_t strange_{0};  ///< Numbers that no task has.
};

}  // namespace framefleet::bench
