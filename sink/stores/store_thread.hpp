#pragma once
// Runs a ResultStore in a thread of its own, so that a disk that stalls does not stop the loop that
// talks to the broker. Work is done in the order it was given: a find sees every batch queued
// before it.
//
// A full disk is tried again with back-off, for ever, and reported in status().blocked; any other
// error ends the thread's work and is reported in status().fatal. Each completion and each change
// of the two makes notify_fd() readable. An operator is told of a full disk at once.
//
// Threads: every public function belongs to the one thread that made the object. The bytes that a
// batch's views point into are either owned by the batch or stay valid until its completion has
// been taken.

#include "sink/stores/result_store.hpp"

#include "shared/base/time.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

namespace framefleet::sink {

struct StoreBatch {
  std::vector<OutcomeToStore> outcomes;
  std::vector<std::string>
      bytes;  ///< Owner of what the views of `outcomes` point into, if need be.
};
struct FindRequest {
  std::vector<TaskId> tasks;
};
struct PruneRequest {
  std::int64_t now_ms{0};  ///< Unix, milliseconds.
};
struct ControlRequest {
  Control control;  ///< Of a verb about dead letters.
  std::uint64_t frame_bytes_max{0};
};
using StoreWork = std::variant<StoreBatch, FindRequest, PruneRequest, ControlRequest>;

struct BatchStored {
  std::vector<SettledTask> tasks;  ///< In the order of the batch.
};
struct FindAnswer {
  std::vector<SettledTask> stored;  ///< Of those that were asked for.
};
using StoreDone = std::variant<BatchStored, FindAnswer, PruneStep, ControlAnswer>;

struct StoreThreadOptions {
  std::size_t queue_max{16};  ///< Pieces of work; the memory of their outcomes is the caller's cap.
  Duration retry_delay_min{
      std::chrono::milliseconds(100)};  ///< After the first "disk full"; doubles.
  Duration retry_delay_max{std::chrono::seconds(5)};
};

struct StoreThreadStatus {
  std::string blocked;    ///< Why the store waits ("" when it does not).
  std::string fatal;      ///< Why it has stopped for good ("" when it has not).
  std::size_t queued{0};  ///< Pieces of work not done yet, the one in progress included.
  StoreStats stats;       ///< As of the last piece of work.
};

class StoreThread {
 public:
  explicit StoreThread(std::unique_ptr<ResultStore> store, StoreThreadOptions options = {});
  /// stop(), if that was not called.
  ~StoreThread();
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;

  /// Queues the work. False, with `work` untouched, when the queue is full or the store has failed.
  [[nodiscard]] bool enqueue(StoreWork&& work);
  /// What was completed since the last call, in order; empties notify_fd().
  std::vector<StoreDone> take_done();
  /// A file descriptor to wait on: readable when take_done() or status() has news.
  int notify_fd() const { return notify_fd_; }
  StoreThreadStatus status() const;
  const std::string& uuid() const { return uuid_; }

  /// Finishes what is queued and ends the thread; enqueue() takes nothing more. On a full disk
  /// nothing is tried twice any more: what then has no completion was not stored. The last
  /// completions can still be taken.
  void stop();

 private:
  void run();
  void perform(StoreWork& work);
  void carry_out(const ControlRequest& request);
  void publish(StoreDone done);
  /// Puts an error into the status.
  void tell(const StoreError& error);
  /// Requires: the mutex is held.
  void notify();
  /// False: give up (stopping, or failed for good).
  bool wait_out(const StoreError& error, Duration& delay);
  template <class Attempt>
  auto until_stored(Attempt attempt) -> decltype(attempt());

  std::unique_ptr<ResultStore> store_;
  const std::string uuid_;
  const StoreThreadOptions options_;
  int notify_fd_{-1};

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<StoreWork> queue_;  ///< The front one may be in progress.
  std::vector<StoreDone> done_;
  std::string blocked_;
  std::string fatal_;
  StoreStats stats_;
  bool stopping_{false};
  bool notified_{false};  ///< notify_fd_ is readable.
  std::thread thread_;    ///< Last: it uses all of the above.
};

}  // namespace framefleet::sink
