#include "worker/pool/format_pools.hpp"

#include "shared/base/assert.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace framefleet::worker {
namespace {

bool is_for_the_second(std::span<const std::byte> frame) {
  const auto format = format_of(frame);
  return format && FormatSet::of_imgcodecs().has(*format);
}

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  FRAMEFLEET_ASSERT(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

template <class T>
std::vector<T> joined(std::vector<T> first, std::vector<T> second) {
  first.insert(first.end(), std::make_move_iterator(second.begin()),
               std::make_move_iterator(second.end()));
  return first;
}

}  // namespace

Result<std::unique_ptr<FormatPools>, Error> FormatPools::open(const PoolOptions& options,
                                                              const IsolationOptions& isolation,
                                                              const std::string& second_program) {
  auto first = ProcessPool::open(options, isolation);
  if (!first) return fail(first.error());
  IsolationOptions of_second = isolation;
  of_second.program = second_program;
  auto second = ProcessPool::open(options, std::move(of_second));
  if (!second) return fail(second.error());
  FileDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return fail(Error{"no descriptors for child processes"});
  return std::unique_ptr<FormatPools>(
      new FormatPools(std::move(*first), std::move(*second), std::move(epoll)));
}

FormatPools::FormatPools(std::unique_ptr<Pool> first, std::unique_ptr<Pool> second,
                         FileDescriptor epoll)
    : first_(std::move(first)), second_(std::move(second)), epoll_(std::move(epoll)) {
  watch(epoll_.get(), first_->notify_fd());
  watch(epoll_.get(), second_->notify_fd());
}

std::size_t FormatPools::slots() const { return first_->slots(); }
std::size_t FormatPools::in_use() const { return first_->in_use() + second_->in_use(); }
int FormatPools::notify_fd() const { return epoll_.get(); }

bool FormatPools::start(WorkOrder order) {
  if (in_use() >= slots()) return false;
  const bool second = std::any_of(order.frames.begin(), order.frames.end(), is_for_the_second);
  return (second ? second_ : first_)->start(std::move(order));
}

std::vector<WorkDone> FormatPools::take_done() {
  auto of_first = first_->take_done();
  return joined(std::move(of_first), second_->take_done());
}

std::vector<StageReport> FormatPools::stages() const {
  return joined(first_->stages(), second_->stages());
}

void FormatPools::abandon(std::uint64_t ticket) {
  first_->abandon(ticket);
  second_->abandon(ticket);
}

PoolStats FormatPools::stats() const { return together(first_->stats(), second_->stats()); }

std::string FormatPools::fault() const {
  auto fault = first_->fault();
  return fault.empty() ? second_->fault() : fault;
}

PoolStats together(const PoolStats& first, const PoolStats& second) {
  PoolStats sum = first;
  sum.children += second.children;
  sum.measured += second.measured;
  if (sum.measured > 0) {
    sum.child_memory =
        (first.child_memory * first.measured + second.child_memory * second.measured) /
        sum.measured;
  }
  for (const auto& [cause, count] : second.ends) sum.ends[cause] += count;
  for (const auto& [cause, count] : second.zygote_ends) sum.zygote_ends[cause] += count;
  sum.denied_syscalls += second.denied_syscalls;
  sum.child_memory_peak = std::max(first.child_memory_peak, second.child_memory_peak);
  return sum;
}

}  // namespace framefleet::worker
