#include "broker/journals/journal_hold.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace framefleet::broker {
namespace {

void subtract(Account& account, std::uint64_t tasks) {
  account.submitted -= std::min(account.submitted, tasks);
  account.admitted -= std::min(account.admitted, tasks);
}

/// The book as it is without these tasks of the source.
void leave_out(const std::set<TaskId>& held, SourceBook& book) {
  subtract(book.account, held.size());
  const auto first = held.lower_bound({book.hash, book.epoch, 0, 0});
  if (first != held.end() && first->epoch == book.epoch) {
    book.counted_through = std::min(book.counted_through, first->sequence);
  }
}

/// The book as it is without so many tasks of the job.
void leave_out(std::uint64_t held, JobBook& book) { subtract(book.account, held); }

template <class Key>
void decrease(std::map<Key, std::uint64_t>& counts, const Key& key) {
  const auto at = counts.find(key);
  if (at != counts.end() && --at->second == 0) counts.erase(at);
}

/// Each book less what is held of it, or its key among those that are gone.
template <class Key, class Book, class Held>
void write_books(const std::map<Key, std::optional<Book>>& from, const std::map<Key, Held>& held,
                 std::vector<Book>& books, std::vector<Key>& gone) {
  for (const auto& [key, book] : from) {
    if (!book) {
      gone.push_back(key);
      continue;
    }
    auto& written = books.emplace_back(*book);
    if (const auto its = held.find(key); its != held.end()) leave_out(its->second, written);
  }
}

/// What a change weighs besides its frames: a record is some hundred bytes.
constexpr std::uint64_t kChangeBytes = 512;

std::uint64_t bytes_of(const JournalAdmission& admission) {
  std::uint64_t bytes = kChangeBytes;
  for (const auto& frame : admission.frames) bytes += frame.size();
  return bytes;
}

}  // namespace

std::uint64_t bytes_of(const JournalBatch& batch) {
  std::uint64_t bytes = 0;
  for (const auto& change : batch.changes) {
    const auto* const admission = std::get_if<JournalAdmission>(&change);
    bytes += admission == nullptr ? kChangeBytes : bytes_of(*admission);
  }
  return bytes;
}

void JournalHold::Counts::add(const JournaledTask& task) {
  sources[task.id.source].insert(task.id);
  if (!task.job.empty()) ++jobs[task.job];
}

void JournalHold::Counts::remove(const JournaledTask& task) {
  const auto held = sources.find(task.id.source);
  if (held != sources.end() && held->second.erase(task.id) > 0 && held->second.empty()) {
    sources.erase(held);
  }
  decrease(jobs, task.job);
}

JournalBatch JournalHold::take(JournalWork&& work) {
  const auto& changes = work.batch.changes;
  const bool admits = std::any_of(changes.begin(), changes.end(), [](const auto& change) {
    return std::holds_alternative<JournalAdmission>(change);
  });
  // What is not held itself is over with what it came after: it may go on for long.
  if (works_.empty() || admits) works_.emplace_back();
  auto& held = works_.back();
  held.number = work.number;
  if (admits) {
    held.frames = std::move(work.frames);
    held.admissions.reserve(changes.size());  // Nothing moves them: by_id_ points there.
  }
  JournalBatch rest;
  for (auto& change : work.batch.changes) {
    if (auto* admission = std::get_if<JournalAdmission>(&change)) {
      hold(held, std::move(*admission));
    } else if (auto* attempt = std::get_if<JournalAttempt>(&change)) {
      if (!change_held(*attempt)) rest.changes.emplace_back(std::move(*attempt));
    } else if (!change_held(std::get<JournalEnd>(change))) {
      rest.changes.push_back(std::move(change));
    }
  }
  remember(std::move(work.batch.books));
  rest.books = books_without(counts_);
  return rest;
}

void JournalHold::hold(Held& held, JournalAdmission&& admission) {
  counts_.add(admission.task);
  bytes_ += bytes_of(admission);
  const auto id = admission.task.id;
  auto& place = held.admissions.emplace_back(std::move(admission));
  FRAMEFLEET_ASSERT(by_id_.emplace(id, &place).second);
}

bool JournalHold::change_held(const JournalAttempt& attempt) {
  const auto at = by_id_.find(attempt.task.id);
  if (at == by_id_.end()) return false;
  (*at->second)->task = attempt.task;
  return true;
}

bool JournalHold::change_held(const JournalEnd& end) {
  const auto at = by_id_.find(end.task);
  if (at == by_id_.end()) return false;
  counts_.remove((*at->second)->task);
  bytes_ -= bytes_of(**at->second);
  at->second->reset();
  by_id_.erase(at);
  return true;
}

std::size_t JournalHold::group_size(std::size_t records_max, std::uint64_t bytes_max) const {
  std::size_t records = 0;
  std::uint64_t bytes = 0;
  std::size_t count = 0;
  for (; count < works_.size(); ++count) {
    for (const auto& admission : works_[count].admissions) {
      if (!admission) continue;
      ++records;
      bytes += bytes_of(*admission);
    }
    if (count > 0 && (records > records_max || bytes > bytes_max)) break;
  }
  return count;
}

JournalBatch JournalHold::offer(std::size_t count) const {
  JournalBatch batch;
  auto still_held = counts_;
  for (std::size_t i = 0; i < count; ++i) {
    for (const auto& admission : works_[i].admissions) {
      if (!admission) continue;
      still_held.remove(admission->task);
      batch.changes.emplace_back(*admission);
    }
  }
  batch.books = books_without(still_held);
  return batch;
}

std::uint64_t JournalHold::release(std::size_t count) {
  FRAMEFLEET_ASSERT(count > 0 && count <= works_.size());
  std::uint64_t number = 0;
  for (; count > 0; --count, works_.pop_front()) {
    number = works_.front().number;
    for (const auto& admission : works_.front().admissions) {
      if (!admission) continue;
      counts_.remove(admission->task);
      bytes_ -= bytes_of(*admission);
      by_id_.erase(admission->task.id);
    }
  }
  if (works_.empty()) {
    fleet_.reset();
    sources_.clear();
    jobs_.clear();
  }
  return number;
}

std::size_t JournalHold::settled_in_front() const {
  const auto holds = [](const Held& held) {
    return std::any_of(held.admissions.begin(), held.admissions.end(),
                       [](const auto& admission) { return admission.has_value(); });
  };
  return static_cast<std::size_t>(std::find_if(works_.begin(), works_.end(), holds) -
                                  works_.begin());
}

void JournalHold::remember(JournaledBooks&& books) {
  if (books.fleet) fleet_ = std::move(books.fleet);
  for (const auto hash : books.sources_gone) sources_[hash].reset();
  for (auto& book : books.sources) sources_[book.hash] = std::move(book);
  for (const auto& name : books.jobs_gone) jobs_[name].reset();
  for (auto& book : books.jobs) {
    auto name = book.name;
    jobs_[std::move(name)] = std::move(book);
  }
}

JournaledBooks JournalHold::books_without(const Counts& held) const {
  JournaledBooks books;
  books.fleet = fleet_;
  write_books(sources_, held.sources, books.sources, books.sources_gone);
  write_books(jobs_, held.jobs, books.jobs, books.jobs_gone);
  return books;
}

}  // namespace framefleet::broker
