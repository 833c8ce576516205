#include "worker/pool/thread_pool.hpp"

#include "shared/base/assert.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

namespace framefleet::worker {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kSlotsMax = 1024;

/// Readable while its counter is not 0.
class Bell {
 public:
  Bell() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~Bell() { ::close(fd_); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  int fd() const { return fd_; }
  void ring() {
    const std::uint64_t one = 1;
    FRAMEFLEET_ASSERT(::write(fd_, &one, sizeof one) == static_cast<ssize_t>(sizeof one));
  }
  void silence() {
    std::uint64_t rung = 0;
    const auto got = ::read(fd_, &rung, sizeof rung);
    FRAMEFLEET_ASSERT(got == static_cast<ssize_t>(sizeof rung) || errno == EAGAIN);
  }

 private:
  int fd_;
};

/// An order from start() to its end, watched from outside while a thread works on it.
class OpenOrder final : public StageObserver {
 public:
  explicit OpenOrder(WorkOrder accepted) : order(std::move(accepted)) {}

  void entered(Stage stage, std::string_view detector) override {
    const std::lock_guard lock(mutex_);
    stage_ = stage;
    detector_ = detector;
    since_ = Clock::now();
  }
  bool abandoned() const override { return abandoned_.load(std::memory_order_relaxed); }
  void abandon() { abandoned_.store(true, std::memory_order_relaxed); }

  StageReport report(const PoolOptions& options) const {
    const std::lock_guard lock(mutex_);
    const Duration elapsed = Clock::now() - since_;
    const Duration budget =
        stage_ == Stage::detect ? options.detect_timeout : options.decode_timeout;
    return {order.ticket, stage_, detector_, elapsed, elapsed > budget};
  }

  WorkOrder order;

 private:
  mutable std::mutex mutex_;
  Stage stage_{Stage::decode};
  std::string detector_;
  Clock::time_point since_{Clock::now()};
  std::atomic<bool> abandoned_{false};
};

}  // namespace

struct ThreadPool::Shared {
  explicit Shared(PoolOptions chosen) : options(std::move(chosen)) {}

  void serve(const std::stop_token& stop);
  void work_on(Workbench& bench, OpenOrder& open);

  const PoolOptions options;
  Bell bell;
  mutable std::mutex mutex;
  std::condition_variable_any wake;
  std::deque<std::shared_ptr<OpenOrder>> waiting;   ///< Started, no thread has it yet.
  std::vector<std::shared_ptr<OpenOrder>> working;  ///< By the time they were taken up.
  std::vector<WorkDone> done;                       ///< The three together: at most `slots`.
  std::vector<std::jthread> threads;  ///< Last: they stop before what they use is gone.
};

void ThreadPool::Shared::work_on(Workbench& bench, OpenOrder& open) {
  const auto begin = Clock::now();
  auto result =
      bench.work(open.order.id, open.order.attempt, open.order.task, open.order.frames, open);
  WorkDone ended{open.order.ticket, open.order.id, false, std::move(result), Clock::now() - begin};
  open.order.keep_alive.reset();
  const std::lock_guard lock(mutex);
  ended.abandoned = open.abandoned();
  std::erase_if(working, [&](const auto& each) { return each.get() == &open; });
  done.push_back(std::move(ended));
  bell.ring();
}

void ThreadPool::Shared::serve(const std::stop_token& stop) {
  Workbench bench(options.workbench);
  while (true) {
    std::shared_ptr<OpenOrder> open;
    {
      std::unique_lock lock(mutex);
      if (!wake.wait(lock, stop, [&] { return !waiting.empty(); })) return;
      if (stop.stop_requested()) return;
      open = std::move(waiting.front());
      waiting.pop_front();
      working.push_back(open);
    }
    work_on(bench, *open);
  }
}

ThreadPool::ThreadPool(PoolOptions options) {
  FRAMEFLEET_ASSERT(options.slots >= 1 && options.slots <= kSlotsMax);
  shared_ = std::make_unique<Shared>(std::move(options));
  for (std::size_t i = 0; i < shared_->options.slots; ++i) {
    shared_->threads.emplace_back(
        [shared = shared_.get()](std::stop_token stop) { shared->serve(stop); });
  }
}

ThreadPool::~ThreadPool() {
  for (auto& thread : shared_->threads) thread.request_stop();
  const std::lock_guard lock(shared_->mutex);
  for (const auto& open : shared_->working) open->abandon();
}

std::size_t ThreadPool::slots() const { return shared_->options.slots; }

std::size_t ThreadPool::in_use() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->waiting.size() + shared_->working.size() + shared_->done.size();
}

bool ThreadPool::start(WorkOrder order) {
  {
    const std::lock_guard lock(shared_->mutex);
    const auto used = shared_->waiting.size() + shared_->working.size() + shared_->done.size();
    if (used >= shared_->options.slots) return false;
    shared_->waiting.push_back(std::make_shared<OpenOrder>(std::move(order)));
  }
  shared_->wake.notify_one();
  return true;
}

std::vector<WorkDone> ThreadPool::take_done() {
  const std::lock_guard lock(shared_->mutex);
  shared_->bell.silence();
  return std::exchange(shared_->done, {});
}

int ThreadPool::notify_fd() const { return shared_->bell.fd(); }

std::vector<StageReport> ThreadPool::stages() const {
  const std::lock_guard lock(shared_->mutex);
  std::vector<StageReport> reports;
  for (const auto& open : shared_->waiting) reports.push_back(open->report(shared_->options));
  for (const auto& open : shared_->working) reports.push_back(open->report(shared_->options));
  return reports;
}

void ThreadPool::abandon(std::uint64_t ticket) {
  const std::lock_guard lock(shared_->mutex);
  for (const auto& open : shared_->waiting) {
    if (open->order.ticket == ticket) open->abandon();
  }
  for (const auto& open : shared_->working) {
    if (open->order.ticket == ticket) open->abandon();
  }
}

}  // namespace framefleet::worker
