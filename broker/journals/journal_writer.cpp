#include "broker/journals/journal_writer.hpp"

#include "shared/base/assert.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace framefleet::broker {
namespace {

/// A loop that does not ask for so long has other worries than the times of commits.
constexpr std::size_t kCommitTimesMax = 4096;
/// In so many slices of its time a group looks whether waiting brings company.
constexpr std::size_t kGatherSlices = 2;
/// It goes on waiting where a slice brought this part of what would fill it in time.
constexpr std::size_t kGatherShare = 2;

}  // namespace

JournalWriter::JournalWriter(std::unique_ptr<Journal> journal, JournalWriterOptions options)
    : journal_(std::move(journal)),
      options_(std::move(options)),
      notify_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      retry_delay_(options_.retry_delay_min) {
  FRAMEFLEET_ASSERT(notify_fd_ && options_.now);
  stats_ = journal_->stats();
  thread_ = std::thread([this] { run(); });
}

JournalWriter::~JournalWriter() { stop(); }

bool JournalWriter::submit(JournalWork&& work) {
  const auto bytes = bytes_of(work.batch);
  bool wakes = false;
  {
    const std::lock_guard lock(mutex_);
    const auto undone = queue_.size() + taken_works_;
    if (fault_ || stopping_ || undone >= options_.queue_works_max ||
        (undone > 0 && queued_bytes_ + taken_bytes_ + bytes > options_.queue_bytes_max)) {
      return false;
    }
    FRAMEFLEET_ASSERT(work.number > last_number_);
    last_number_ = work.number;
    queued_records_ += work.batch.changes.size();
    queued_bytes_ += bytes;
    queue_.push_back(std::move(work));
    wakes = !gathering_ || gathered();
  }
  if (wakes) wake_.notify_one();
  return true;
}

JournalProgress JournalWriter::take_committed() {
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto got = ::read(notify_fd_.get(), &ignored, sizeof ignored);
  const std::lock_guard lock(mutex_);
  return {through_, std::exchange(commit_time_, {})};
}

JournalWriterStatus JournalWriter::status() const {
  const std::lock_guard lock(mutex_);
  return {full_, fault_, queue_.size() + taken_works_, queued_bytes_ + taken_bytes_, stats_};
}

void JournalWriter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void JournalWriter::run() {
  while (true) {
    auto group = next_group();
    const bool nothing_new = group.empty();
    if (hold_.empty() && nothing_new) return;
    commit_group(std::move(group));
    const std::lock_guard lock(mutex_);
    if (fault_ || (stopping_ && nothing_new && queue_.empty())) return;
  }
}

std::vector<JournalWork> JournalWriter::next_group() {
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return stopping_ || !queue_.empty(); };
  if (hold_.empty()) {
    wake_.wait(lock, ready);
  } else if (!wake_.wait_for(lock, retry_delay_, ready)) {
    retry_delay_ = std::min(retry_delay_ * 2, options_.retry_delay_max);
  }
  if (hold_.empty()) gather(lock);
  std::vector<JournalWork> group;
  std::size_t records = 0;
  std::uint64_t bytes = 0;
  while (!queue_.empty()) {
    const auto its_records = queue_.front().batch.changes.size();
    const auto its_bytes = bytes_of(queue_.front().batch);
    if (!group.empty() && (records + its_records > options_.group_records_max ||
                           bytes + its_bytes > options_.group_bytes_max)) {
      break;
    }
    records += its_records;
    bytes += its_bytes;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_records_ -= records;
  queued_bytes_ -= bytes;
  taken_works_ += group.size();
  taken_bytes_ += bytes;
  return group;
}

bool JournalWriter::gathered() const {
  return stopping_ || queued_records_ >= options_.gather_records ||
         queued_bytes_ >= options_.gather_bytes;
}

/// A slice at a time, for as long as each brings its share. The first was the last commit's time.
void JournalWriter::gather(std::unique_lock<std::mutex>& lock) {
  const auto share = options_.gather_records / kGatherSlices / kGatherShare;
  std::size_t before = 0;
  gathering_ = true;
  for (std::size_t i = 0; i < kGatherSlices && queued_records_ >= before + share; ++i) {
    before = queued_records_;
    if (wake_.wait_for(lock, options_.gather_time / kGatherSlices, [this] { return gathered(); })) {
      break;
    }
  }
  gathering_ = false;
}

void JournalWriter::commit_group(std::vector<JournalWork> group) {
  if (hold_.empty() && !group.empty()) {
    std::vector<JournalBatch> batches;
    batches.reserve(group.size());
    for (auto& work : group) batches.push_back(std::move(work.batch));
    const auto last = group.back().number;
    if (commit(batches)) return publish(last);
    if (status().fault) return;
    for (std::size_t i = 0; i < group.size(); ++i) group[i].batch = std::move(batches[i]);
  }
  for (auto& work : group) rests_.push_back(hold_.take(std::move(work)));
  make_room();
  const std::lock_guard lock(mutex_);
  count_taken();
}

void JournalWriter::make_room() {
  set_full(true);
  while (!hold_.empty() && commit_rests()) {
    const auto settled = hold_.settled_in_front();
    if (settled > 0) {
      publish(hold_.release(settled));
    } else if (!commit_held()) {
      break;
    }
    retry_delay_ = options_.retry_delay_min;
  }
  if (hold_.empty()) set_full(false);
}

bool JournalWriter::commit_rests() {
  if (rests_.empty() || commit(rests_)) {
    rests_.clear();
    return true;
  }
  // One after the other: each agrees with its own books.
  while (!rests_.empty() && commit({rests_.data(), 1})) rests_.erase(rests_.begin());
  return rests_.empty();
}

bool JournalWriter::commit_held() {
  auto count = hold_.group_size(options_.group_records_max, options_.group_bytes_max);
  for (; count > 0; count /= 2) {
    const auto batch = hold_.offer(count);
    if (commit({&batch, 1})) {
      publish(hold_.release(count));
      return true;
    }
  }
  return false;
}

bool JournalWriter::commit(std::span<const JournalBatch> batches) {
  {
    const std::lock_guard lock(mutex_);
    if (fault_) return false;
  }
  const auto begun = options_.now();
  Result<void, JournalFault> committed;
  try {
    committed = journal_->commit(batches);
  } catch (const std::exception& error) {  // No exception leaves the thread.
    committed = fail(JournalFault{JournalFault::Kind::broken,
                                  std::string("cannot write the journal: ") + error.what()});
  }
  const auto stats = journal_->stats();
  const std::lock_guard lock(mutex_);
  stats_ = stats;
  if (committed) {
    if (commit_time_.size() < kCommitTimesMax) commit_time_.push_back(options_.now() - begun);
    return true;
  }
  if (committed.error().kind == JournalFault::Kind::broken) {
    fault_ = committed.error();
    notify();
  }
  return false;
}

void JournalWriter::publish(std::uint64_t through) {
  const std::lock_guard lock(mutex_);
  through_ = through;
  count_taken();
  notify();
}

void JournalWriter::count_taken() {
  taken_works_ = hold_.size() + rests_.size();
  taken_bytes_ = hold_.bytes();
  for (const auto& rest : rests_) taken_bytes_ += bytes_of(rest);
}

void JournalWriter::set_full(bool full) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(full_, full) != full) notify();
}

void JournalWriter::notify() {
  constexpr std::uint64_t kOne = 1;
  // It can only fail because the counter is full, and then it is readable anyway.
  [[maybe_unused]] const auto put = ::write(notify_fd_.get(), &kOne, sizeof kOne);
}

}  // namespace framefleet::broker
