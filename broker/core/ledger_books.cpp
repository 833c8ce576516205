// The books as a journal keeps them: what changed since the last time, and how an earlier broker
// left them.

#include "broker/core/ledger.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::broker {
namespace {

/// Of a source, in its book: more than our producers have under way (64 of a camera), and few
/// enough to be written with every change.
constexpr std::size_t kUnkeptMax = 1024;

/// The newest that are in memory alone.
std::vector<TaskId> unkept(const Source& source, TaskClass task_class) {
  std::vector<TaskId> ids;
  for (auto at = source.unkept.rbegin(); at != source.unkept.rend(); ++at) {
    if (ids.size() == kUnkeptMax) break;
    if (at->second == task_class) ids.push_back(at->first);
  }
  std::reverse(ids.begin(), ids.end());
  return ids;
}

SourceBook book_of(const Source& source) {
  return {.hash = source.hash,
          .name = source.name,
          .epoch = source.epoch,
          .weight = source.weight,
          .paused = source.paused,
          .expected = source.expected,
          .stored_before = source.stored_before,
          .counted_through = source.counted_through,
          .job = source.counted_in == nullptr ? std::string{} : source.counted_in->name,
          .identity = source.quota == nullptr ? std::string{} : source.quota->identity,
          .account = source.account,
          .live = unkept(source, TaskClass::live),
          .gone = unkept(source, TaskClass::batch)};
}

JobBook book_of(const Job& job) {
  return {.name = job.name,
          .expected = job.expected,
          .stored_before = job.stored_before,
          .total_unknown = job.total_unknown,
          .cancelled = job.cancelled,
          .ended = job.ended_at != kNever,
          .joined = {job.joined.begin(), job.joined.end()},
          .account = job.account};
}

/// Makes the books say what is there. False: they did so before.
bool correct(Account& account, const InProgress& in_progress) {
  const auto there = account.settled_in_all() + in_progress.in_all();
  if (account.admitted == there) return false;
  account.admitted = there;
  account.submitted = account.rejected + there;
  return true;
}

}  // namespace

void Ledger::note(Source& source) {
  if (!keeps_changes_ || std::exchange(source.noted, true)) return;
  changed_sources_.push_back(source.hash);
}

void Ledger::note(Job* job) {
  if (!keeps_changes_ || job == nullptr || std::exchange(job->noted, true)) return;
  changed_jobs_.push_back(job->name);
}

JournaledBooks Ledger::take_changed() {
  JournaledBooks books;
  for (const auto hash : std::exchange(changed_sources_, {})) {
    auto* const source = find_source(hash);
    if (source == nullptr) continue;  // gone since
    source->noted = false;
    books.sources.push_back(book_of(*source));
  }
  for (const auto& name : std::exchange(changed_jobs_, {})) {
    auto* const job = find_job(name);
    if (job == nullptr) continue;
    job->noted = false;
    books.jobs.push_back(book_of(*job));
  }
  // One that went and came again is there.
  for (const auto hash : std::exchange(gone_sources_, {})) {
    if (find_source(hash) == nullptr) books.sources_gone.push_back(hash);
  }
  for (auto& name : std::exchange(gone_jobs_, {})) {
    if (find_job(name) == nullptr) books.jobs_gone.push_back(std::move(name));
  }
  if (std::exchange(others_changed_, false)) books.fleet = fleet_book();
  return books;
}

void Ledger::restore(const FleetBook& book) {
  other_sources_ = book.other_sources;
  other_jobs_ = book.other_jobs;
}

void Ledger::restore(const JobBook& book, Time now) {
  auto& job = jobs_[book.name];
  job.name = book.name;
  job.expected = book.expected;
  job.stored_before = book.stored_before;
  job.total_unknown = book.total_unknown;
  job.cancelled = book.cancelled;
  job.joined = {book.joined.begin(), book.joined.end()};
  job.account = book.account;
  job.began_at = job.window_at = now;
  if (book.ended) job.ended_at = now;
}

void Ledger::restore(const SourceBook& book, Quota* quota) {
  auto& source = open_source(book.hash, book.name);
  source.quota = quota;
  source.epoch = book.epoch;
  source.weight = book.weight;
  source.paused = book.paused;
  source.expected = book.expected;
  source.stored_before = book.stored_before;
  source.counted_through = book.counted_through;
  source.counted_in = find_job(book.job);
  source.account = book.account;
  for (const auto& id : book.live) source.unkept.emplace(id, TaskClass::live);
  for (const auto& id : book.gone) source.unkept.emplace(id, TaskClass::batch);
}

void Ledger::restored(Task& task) {
  task.state = TaskState::delayed;
  ++in_progress_.delayed;
  ++task.source->in_progress.delayed;
  if (task.job != nullptr) ++task.job->in_progress.delayed;
  if (!task.gone) return;
  ++unaccounted_;
  ++task.source->unaccounted;
}

void Ledger::disowned(Task& task) {
  const auto uncount = [](Account& account, InProgress& in_progress) {
    --account.submitted;
    --account.admitted;
    --in_progress.delayed;
  };
  auto& source = *task.source;
  uncount(total_, in_progress_);
  uncount(source.account, source.in_progress);
  --unaccounted_;
  --source.unaccounted;
  source.unkept.erase(task.id);
  note(source);
  if (task.job == nullptr) return;
  uncount(task.job->account, task.job->in_progress);
  note(task.job);
}

void Ledger::end_restore() {
  total_ = other_sources_;
  for (auto& [hash, source] : sources_) {
    if (correct(source.account, source.in_progress)) note(source);
    total_.add(source.account);
  }
  for (auto& [name, job] : jobs_) {
    if (correct(job.account, job.in_progress)) note(&job);
  }
  // Notes in an order that no hash decides.
  std::sort(changed_sources_.begin(), changed_sources_.end());
  std::sort(changed_jobs_.begin(), changed_jobs_.end());
}

}  // namespace framefleet::broker
