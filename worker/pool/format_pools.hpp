#pragma once
// A Pool of two kinds of child processes: those that decode JPEG, PNG and WebP, and those of
// another program that decode BMP and TIFF too. An order goes to the second kind where one of its
// frames begins like one of those. Both kinds have a child for every slot, and share the slots:
// together they never hold more orders than there are slots. So there are twice as many children as
// slots, of which no more than slots are at work; each has child_memory_max of its own, and the
// idle ones keep what their last picture left them.
//
// Threads and waiting: as in ProcessPool. take_done() reports the first kind before the second.

#include "worker/pool/process_pool.hpp"

#include "shared/base/file_descriptor.hpp"

#include <memory>
#include <string>
#include <vector>

namespace framefleet::worker {

/// What two pools are together; the memory is the mean of all children that were looked at.
PoolStats together(const PoolStats& first, const PoolStats& second);

class FormatPools final : public Pool {
 public:
  /// `second_program` is started as the zygote of the second kind; everything else both have in
  /// common. Errors: the system cannot start processes.
  static Result<std::unique_ptr<FormatPools>, Error> open(const PoolOptions& options,
                                                          const IsolationOptions& isolation,
                                                          const std::string& second_program);

  std::size_t slots() const override;
  std::size_t in_use() const override;
  [[nodiscard]] bool start(WorkOrder order) override;
  std::vector<WorkDone> take_done() override;
  int notify_fd() const override;
  std::vector<StageReport> stages() const override;
  void abandon(std::uint64_t ticket) override;
  PoolStats stats() const override;
  std::string fault() const override;

 private:
  FormatPools(std::unique_ptr<Pool> first, std::unique_ptr<Pool> second, FileDescriptor epoll);

  std::unique_ptr<Pool> first_;
  std::unique_ptr<Pool> second_;
  FileDescriptor epoll_;  ///< Readable when one of the two is.
};

}  // namespace framefleet::worker
