#pragma once
// Commits to a Journal in a thread of its own, so that a disk that stalls does not stop the loop
// that talks to workers and producers. While one commit runs, what comes is gathered and committed
// together after it. Where much comes, a group waits a moment for more of it; where little comes,
// nothing waits.
//
// A full journal: admissions wait in their order, ends go on (they make room), and the admissions
// are tried again after every end and now and then. A broken one: the fault is told, and nothing is
// written any more.
//
// Threads: every public function belongs to the one thread that made the object.

#include "broker/journals/journal.hpp"
#include "broker/journals/journal_hold.hpp"

#include "shared/base/file_descriptor.hpp"
#include "shared/base/time.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace framefleet::broker {

struct JournalWriterOptions {
  std::size_t group_records_max{4096};             ///< Of one commit, or one work if it has more.
  std::uint64_t group_bytes_max{4 * 1024 * 1024};  ///< The same.
  /// A commit costs what many records cost. A group waits for so many of them or so many bytes, no
  /// longer than this, and for as long only as every half of it brings a quarter of them. So
  /// few that one producer (CoreOptions::grant_tasks) brings two such groups where each record is
  /// an admission: while one is synced it sends the next.
  std::size_t gather_records{512};
  std::uint64_t gather_bytes{1024 * 1024};
  Duration gather_time{std::chrono::milliseconds(4)};
  /// Handed over and not durable, at most. A broker has stopped admitting long before: these are
  /// what a bug in that may cost. What is held back counts with its admissions alone: it must not
  /// keep out the ends that would make room for it.
  std::size_t queue_works_max{65'536};
  std::uint64_t queue_bytes_max{std::uint64_t{1} << 30U};
  /// Between tries of a full journal; doubles, up to what is soon enough for a person.
  Duration retry_delay_min{std::chrono::milliseconds(100)};
  Duration retry_delay_max{std::chrono::seconds(5)};
  std::function<Time()> now;  ///< For the durations of commits. Required.
};

struct JournalWriterStatus {
  bool full{false};                   ///< Admissions wait for room.
  std::optional<JournalFault> fault;  ///< It is broken, and this is why.
  std::size_t queued{0};              ///< Works that are not durable yet.
  std::uint64_t queued_bytes{0};
  JournalStats stats;  ///< As of the last commit.
};

struct JournalProgress {
  std::uint64_t through{0};           ///< Every work up to this number is durable; 0: none yet.
  std::vector<Duration> commit_time;  ///< Of each commit since the last call.
};

class JournalWriter {
 public:
  JournalWriter(std::unique_ptr<Journal> journal, JournalWriterOptions options);
  /// stop(), if that was not called.
  ~JournalWriter();
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  /// False, with `work` untouched, where the queue is at its limits (offer it again when
  /// notify_fd() is readable) or the journal is broken. Requires: its number is above the last one.
  [[nodiscard]] bool submit(JournalWork&& work);
  /// Empties notify_fd().
  JournalProgress take_committed();
  /// Readable when take_committed() or status() has news.
  int notify_fd() const { return notify_fd_.get(); }
  JournalWriterStatus status() const;

  /// Commits what is queued and ends the thread. What a full journal has no room for is tried once
  /// more. What became durable can still be taken.
  void stop();

 private:
  void run();
  /// The next works, up to the limits of a group; none: it is time to end, or to try again.
  std::vector<JournalWork> next_group();
  bool gathered() const;
  void gather(std::unique_lock<std::mutex>& lock);
  void commit_group(std::vector<JournalWork> group);
  void make_room();
  /// Ends and attempts that went past what is held. False: there is no room even for them.
  bool commit_rests();
  bool commit_held();
  /// True: it is on the disk. False: full, or broken.
  bool commit(std::span<const JournalBatch> batches);
  void publish(std::uint64_t through);
  /// Of what was taken, what is held back or cannot be written is not durable. With the lock.
  void count_taken();
  void set_full(bool full);
  void notify();

  const std::unique_ptr<Journal> journal_;
  const JournalWriterOptions options_;
  const FileDescriptor notify_fd_;

  // The thread's own.
  JournalHold hold_;
  std::vector<JournalBatch> rests_;
  Duration retry_delay_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<JournalWork> queue_;
  std::size_t queued_records_{0};  ///< In the queue; so are the bytes.
  std::uint64_t queued_bytes_{0};
  bool gathering_{false};  ///< No use to wake the thread before it has gathered.
  std::uint64_t last_number_{0};
  std::size_t taken_works_{0};  ///< By the thread out of the queue, and not durable.
  std::uint64_t taken_bytes_{0};
  std::uint64_t through_{0};
  std::vector<Duration> commit_time_;
  JournalStats stats_;
  std::optional<JournalFault> fault_;
  bool full_{false};
  bool stopping_{false};
  std::thread thread_;  ///< Last: it uses all of the above.
};

}  // namespace framefleet::broker
