#include "sink/stores/store_thread.hpp"

#include "shared/base/assert.hpp"
#include "shared/base/failpoint.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <exception>

namespace framefleet::sink {
namespace {

/// No exception leaves the thread: one that a store lets out (memory) is a failure like any other.
template <class Attempt>
auto guarded(Attempt& attempt) -> decltype(attempt()) {
  try {
    return attempt();
  } catch (const std::exception& error) {
    return fail(StoreError{StoreError::Kind::failed, std::string("the store: ") + error.what()});
  }
}

}  // namespace

StoreThread::StoreThread(std::unique_ptr<ResultStore> store, StoreThreadOptions options)
    : store_(std::move(store)),
      uuid_(store_->uuid()),
      options_(options),
      notify_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  FRAMEFLEET_ASSERT(notify_fd_ >= 0);
  stats_ = store_->stats();
  thread_ = std::thread([this] { run(); });
}

StoreThread::~StoreThread() {
  stop();
  ::close(notify_fd_);
}

bool StoreThread::enqueue(StoreWork&& work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || !fatal_.empty() || queue_.size() >= options_.queue_max) return false;
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
  return true;
}

std::vector<StoreDone> StoreThread::take_done() {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(notified_, false)) return {};
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto got = ::read(notify_fd_, &ignored, sizeof ignored);
  return std::exchange(done_, {});
}

StoreThreadStatus StoreThread::status() const {
  const std::lock_guard lock(mutex_);
  return {blocked_, fatal_, queue_.size(), stats_};
}

void StoreThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void StoreThread::run() {
  while (true) {
    StoreWork* work = nullptr;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty() || !fatal_.empty()) break;
      work = &queue_.front();  // A deque keeps it where it is while others are added behind it.
    }
    perform(*work);
    const std::lock_guard lock(mutex_);
    if (!fatal_.empty()) break;
    queue_.pop_front();
  }
  store_.reset();  // Here, so that its last writes do not hold up the thread that owns this object.
}

void StoreThread::perform(StoreWork& work) {
  if (auto* batch = std::get_if<StoreBatch>(&work)) {
    if (auto stored = until_stored([&] { return store_->commit(batch->outcomes); })) {
      publish(BatchStored{std::move(*stored)});
    }
  } else if (auto* request = std::get_if<FindRequest>(&work)) {
    if (auto stored = until_stored([&] { return store_->find(request->tasks); })) {
      publish(FindAnswer{std::move(*stored)});
    }
  } else if (auto* prune = std::get_if<PruneRequest>(&work)) {
    if (auto step = until_stored([&] { return store_->prune(prune->now_ms); })) publish(*step);
  } else {
    carry_out(std::get<ControlRequest>(work));
  }
}

void StoreThread::carry_out(const ControlRequest& request) {
  const auto attempt = [&] { return store_->carry_out(request.control, request.frame_bytes_max); };
  auto answer = guarded(attempt);
  if (!answer && answer.error().kind == StoreError::Kind::full) {
    answer = ControlAnswer{Reason::sink_slow, answer.error().text, {}};
  }
  if (answer) {
    publish(*std::move(answer));
  } else {
    tell(answer.error());
  }
}

template <class Attempt>
auto StoreThread::until_stored(Attempt attempt) -> decltype(attempt()) {
  auto delay = options_.retry_delay_min;
  auto result = guarded(attempt);
  while (!result && wait_out(result.error(), delay)) result = guarded(attempt);
  return result;
}

bool StoreThread::wait_out(const StoreError& error, Duration& delay) {
  tell(error);
  if (error.kind != StoreError::Kind::full) return false;
  std::unique_lock lock(mutex_);
  const bool stopping = wake_.wait_for(lock, delay, [this] { return stopping_; });
  delay = std::min(delay * 2, options_.retry_delay_max);
  return !stopping;
}

void StoreThread::tell(const StoreError& error) {
  const std::lock_guard lock(mutex_);
  (error.kind == StoreError::Kind::full ? blocked_ : fatal_) = error.text;
  stats_ = store_->stats();
  notify();
}

void StoreThread::publish(StoreDone done) {
  {
    const std::lock_guard lock(mutex_);
    done_.push_back(std::move(done));
    blocked_.clear();
    stats_ = store_->stats();
    notify();
  }
  failpoint("store.told");
}

void StoreThread::notify() {
  notified_ = true;
  constexpr std::uint64_t kOne = 1;
  // It can only fail because the counter is full, and then it is readable anyway.
  [[maybe_unused]] const auto put = ::write(notify_fd_, &kOne, sizeof kOne);
}

}  // namespace framefleet::sink
