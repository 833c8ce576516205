#pragma once
// A Pool of threads in this process: for trusted input, and to measure what isolation costs. A
// crash takes the worker with it, and a thread that hangs in foreign code keeps its slot for ever:
// its stage is reported over budget, and the caller gives the task back.
//
// A thread that ends an order goes on with the next one in the line; it wakes the loop only when
// nothing else that is done waits for it.
//
// The destructor abandons everything and joins; it waits for a detector that is inside foreign
// code.

#include "worker/pool/pool.hpp"

#include <memory>

namespace framefleet::worker {

class ThreadPool final : public Pool {
 public:
  /// Starts the threads. Throws std::system_error where the system has none to give.
  explicit ThreadPool(PoolOptions options);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  std::size_t slots() const override;
  std::size_t line_max() const override;
  std::size_t in_use() const override;
  [[nodiscard]] bool start(WorkOrder order) override;
  std::vector<WorkDone> take_done() override;
  int notify_fd() const override;
  [[nodiscard]] bool take_back(std::uint64_t ticket) override;
  std::vector<StageReport> stages() const override;
  void abandon(std::uint64_t ticket) override;

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

}  // namespace framefleet::worker
