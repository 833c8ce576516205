#pragma once
// Tasks, books and batches to write into a journal, and what is read back.

#include "broker/journals/journal_hold.hpp"
#include "broker/journals/lmdb_journal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/test_data.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace framefleet::test {

inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

inline JournaledTask journaled_task(std::uint64_t sequence, std::uint64_t source = 7) {
  JournaledTask task;
  task.id = {source, 3, sequence, 0};
  task.source = "cam-" + std::to_string(source);
  task.job = "night";
  task.detectors = {"edges", "faces"};
  task.task = "\x81 not read by anybody here";
  task.digest = std::string(16, '\xAA');
  task.priority = 4;
  task.written_at_ms = 1'763'679'600'123;
  return task;
}

inline std::string payload_of(std::uint64_t sequence, std::size_t bytes = 3000) {
  std::string payload(bytes, '\0');
  std::uint64_t state = sequence * 0x9E3779B97F4A7C15ULL + 1;
  for (auto& byte : payload) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    byte = static_cast<char>(state >> 56U);
  }
  return payload;
}

inline SourceBook source_book(std::uint64_t hash, std::uint64_t admitted) {
  SourceBook book;
  book.hash = hash;
  book.name = "cam-" + std::to_string(hash);
  book.epoch = 3;
  book.job = "night";
  book.counted_through = admitted + 1;  // the tasks of the tests begin with 1
  book.account.submitted = admitted;
  book.account.admitted = admitted;
  return book;
}

inline JobBook job_book(std::uint64_t admitted) {
  JobBook book;
  book.name = "night";
  book.joined = {7};
  book.account.submitted = admitted;
  book.account.admitted = admitted;
  return book;
}

/// A batch with the bytes that its spans point into.
class BatchBuilder {
 public:
  BatchBuilder& admit(JournaledTask task, std::vector<std::string> frames) {
    broker::JournalAdmission admission{std::move(task), {}};
    for (auto& frame : frames) {
      bytes_->push_back(std::make_unique<std::string>(std::move(frame)));
      admission.frames.push_back(std::as_bytes(std::span(*bytes_->back())));
    }
    batch_.changes.emplace_back(std::move(admission));
    return *this;
  }
  BatchBuilder& admit(std::uint64_t sequence, std::size_t bytes = 3000) {
    return admit(journaled_task(sequence), {payload_of(sequence, bytes)});
  }
  BatchBuilder& attempt(JournaledTask task) {
    batch_.changes.emplace_back(broker::JournalAttempt{std::move(task)});
    return *this;
  }
  BatchBuilder& end(std::uint64_t sequence) {
    batch_.changes.emplace_back(broker::JournalEnd{journaled_task(sequence).id});
    return *this;
  }
  BatchBuilder& books(JournaledBooks books) {
    batch_.books = std::move(books);
    return *this;
  }
  BatchBuilder& count(std::uint64_t admitted) {
    batch_.books.sources = {source_book(7, admitted)};
    batch_.books.jobs = {job_book(admitted)};
    return *this;
  }

  const broker::JournalBatch& batch() const { return batch_; }
  broker::JournalWork work(std::uint64_t number) { return {number, batch_, bytes_}; }

 private:
  broker::JournalBatch batch_;
  std::shared_ptr<std::vector<std::unique_ptr<std::string>>> bytes_{
      std::make_shared<std::vector<std::unique_ptr<std::string>>>()};
};

struct ReadTask {
  JournaledTask task;
  std::vector<std::string> frames;
};

struct ReadJournal {
  std::map<std::uint64_t, ReadTask> tasks;  ///< By sequence.
  broker::JournalContents contents;
};

inline ReadJournal read(const broker::Journal& journal) {
  ReadJournal found;
  auto contents = journal.scan([&](JournaledTask task, std::vector<std::string> frames) {
    const auto sequence = task.id.sequence;
    found.tasks[sequence] = {std::move(task), std::move(frames)};
  });
  if (!contents) FAIL(contents.error().text);
  found.contents = *std::move(contents);
  return found;
}

inline std::unique_ptr<broker::LmdbJournal> open_journal(const std::filesystem::path& folder,
                                                         std::uint64_t bytes_max = 4 * kMiB) {
  auto journal = broker::LmdbJournal::open({folder, bytes_max});
  if (!journal) FAIL(journal.error().text);
  return *std::move(journal);
}

inline Result<void, broker::JournalFault> commit(broker::Journal& journal,
                                                 const BatchBuilder& builder) {
  return journal.commit({&builder.batch(), 1});
}

}  // namespace framefleet::test
