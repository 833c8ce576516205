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

/// Readable from ring() to silence().
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
    FRAMEFLEET_ASSERT(::read(fd_, &rung, sizeof rung) == static_cast<ssize_t>(sizeof rung));
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
  Clock::time_point since_;  // a thread took it up, or it entered the stage
  std::atomic<bool> abandoned_{false};
};

}  // namespace

struct ThreadPool::Shared {
  explicit Shared(PoolOptions chosen) : options(std::move(chosen)) {}

  void serve();
  WorkDone work_on(Workbench& bench, OpenOrder& open) const;
  std::size_t in_use() const { return line.size() + working.size() + done.size(); }

  const PoolOptions options;
  Bell bell;
  mutable std::mutex mutex;
  std::condition_variable wake;
  std::size_t idle{0};  ///< Threads that wait for an order.
  bool ending{false};
  std::deque<std::unique_ptr<OpenOrder>> line;  ///< Started, no thread has it yet.
  std::vector<OpenOrder*> working;              ///< By the time they were taken up.
  std::vector<WorkDone> done;                   ///< The bell rings while it has something.
  std::vector<std::jthread> threads;            ///< Last: they stop before what they use is gone.
};

WorkDone ThreadPool::Shared::work_on(Workbench& bench, OpenOrder& open) const {
  const auto begin = Clock::now();
  auto result =
      bench.work(open.order.id, open.order.attempt, open.order.task, open.order.frames, open);
  WorkDone ended{open.order.ticket, open.order.id, false, std::move(result), Clock::now() - begin};
  open.order.keep_alive.reset();
  return ended;
}

void ThreadPool::Shared::serve() {
  Workbench bench(options.workbench);
  std::unique_lock lock(mutex);
  while (true) {
    ++idle;
    wake.wait(lock, [&] { return ending || !line.empty(); });
    --idle;
    if (ending) return;
    const auto open = std::move(line.front());
    line.pop_front();
    open->entered(Stage::decode, {});
    working.push_back(open.get());
    lock.unlock();
    auto ended = work_on(bench, *open);
    lock.lock();
    ended.abandoned = open->abandoned();
    std::erase(working, open.get());
    done.push_back(std::move(ended));
    if (done.size() == 1) bell.ring();
  }
}

ThreadPool::ThreadPool(PoolOptions options) {
  FRAMEFLEET_ASSERT(options.slots >= 1 && options.slots <= kSlotsMax);
  shared_ = std::make_unique<Shared>(std::move(options));
  for (std::size_t i = 0; i < shared_->options.slots; ++i) {
    shared_->threads.emplace_back([shared = shared_.get()] { shared->serve(); });
  }
}

ThreadPool::~ThreadPool() {
  const std::lock_guard lock(shared_->mutex);
  shared_->ending = true;
  for (auto* const open : shared_->working) open->abandon();
  shared_->wake.notify_all();
}

std::size_t ThreadPool::slots() const { return shared_->options.slots; }

std::size_t ThreadPool::line_max() const { return shared_->options.line_max; }

std::size_t ThreadPool::in_use() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->in_use();
}

bool ThreadPool::start(WorkOrder order) {
  auto open = std::make_unique<OpenOrder>(std::move(order));
  bool sleeps = false;
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->in_use() >= slots() + line_max()) return false;
    shared_->line.push_back(std::move(open));
    sleeps = shared_->line.size() <= shared_->idle;  // else those that were woken come to it
  }
  if (sleeps) shared_->wake.notify_one();
  return true;
}

std::vector<WorkDone> ThreadPool::take_done() {
  const std::lock_guard lock(shared_->mutex);
  if (!shared_->done.empty()) shared_->bell.silence();
  return std::exchange(shared_->done, {});
}

bool ThreadPool::take_back(std::uint64_t ticket) {
  const std::lock_guard lock(shared_->mutex);
  const auto taken = std::erase_if(
      shared_->line, [ticket](const auto& open) { return open->order.ticket == ticket; });
  return taken > 0;
}

int ThreadPool::notify_fd() const { return shared_->bell.fd(); }

std::vector<StageReport> ThreadPool::stages() const {
  const std::lock_guard lock(shared_->mutex);
  std::vector<StageReport> reports;
  for (const auto* open : shared_->working) reports.push_back(open->report(shared_->options));
  return reports;
}

void ThreadPool::abandon(std::uint64_t ticket) {
  const std::lock_guard lock(shared_->mutex);
  for (const auto& open : shared_->line) {
    if (open->order.ticket == ticket) open->abandon();
  }
  for (auto* const open : shared_->working) {
    if (open->order.ticket == ticket) open->abandon();
  }
}

}  // namespace framefleet::worker
