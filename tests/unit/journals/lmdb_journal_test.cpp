#include "broker/journals/child_report.hpp"
#include "broker/journals/lmdb.hpp"
#include "broker/journals/record_seal.hpp"
#include "broker/journals/verify.hpp"
#include "tests/unit/journals/journal_fixture.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

using namespace framefleet;
using namespace framefleet::broker;
using namespace framefleet::test;

TEST_CASE("what is committed is there after a restart, with its frames and books") {
  const TemporaryFolder home;
  const auto folder = home.path() / "a" / "journal";
  auto first = journaled_task(1);
  first.history = {{1, "worker-1", Reason::undecodable, "no pixels"}};
  first.ttl_left = std::chrono::seconds(5);
  JournaledBooks books;
  books.fleet = FleetBook{"0b0e", true, {}, {}};
  books.sources = {source_book(7, 2)};
  books.jobs = {job_book(2)};
  {
    const auto journal = open_journal(folder);
    REQUIRE(commit(*journal, BatchBuilder{}
                                 .admit(first, {"one", std::string(100'000, 'x'), ""})
                                 .admit(journaled_task(2), {})
                                 .books(books)));
    CHECK(journal->stats().tasks == 2);
  }
  const auto found = read(*open_journal(folder));
  REQUIRE(found.tasks.size() == 2);
  CHECK(found.tasks.at(1).task == first);
  CHECK(found.tasks.at(1).frames == std::vector<std::string>{"one", std::string(100'000, 'x'), ""});
  CHECK(found.tasks.at(2).frames.empty());
  CHECK(found.contents.fleet == *books.fleet);
  CHECK(found.contents.sources == books.sources);
  CHECK(found.contents.jobs == books.jobs);
  CHECK(found.contents.damaged.empty());
}

TEST_CASE("an end forgets a task, an attempt rewrites its record alone") {
  const TemporaryFolder home;
  const auto journal = open_journal(home.path());
  REQUIRE(commit(*journal, BatchBuilder{}.admit(1, 200'000).admit(2)));
  const auto used = journal->stats().used_bytes;
  auto again = journaled_task(1);
  again.attempts = 1;
  again.failed = 1;
  REQUIRE(commit(*journal, BatchBuilder{}.attempt(again).end(2)));
  CHECK(journal->stats().used_bytes <= used);
  const auto found = read(*journal);
  REQUIRE(found.tasks.size() == 1);
  CHECK(found.tasks.at(1).task == again);
  CHECK(found.tasks.at(1).frames == std::vector{payload_of(1, 200'000)});
  REQUIRE(commit(*journal, BatchBuilder{}.end(1).end(99)));
  CHECK(journal->stats().tasks == 0);
}

TEST_CASE("an attempt of a task that is not there is told and writes nothing") {
  const TemporaryFolder home;
  const auto journal = open_journal(home.path());
  const auto committed = commit(*journal, BatchBuilder{}.admit(1).attempt(journaled_task(5)));
  REQUIRE_FALSE(committed);
  CHECK(committed.error().kind == JournalFault::Kind::broken);
  CHECK(journal->stats().tasks == 0);
}

TEST_CASE("books are replaced and given up") {
  const TemporaryFolder home;
  const auto journal = open_journal(home.path());
  JournaledBooks books;
  books.sources = {source_book(1, 1), source_book(2, 1)};
  books.jobs = {job_book(2)};
  REQUIRE(commit(*journal, BatchBuilder{}.books(books)));
  JournaledBooks later;
  later.sources = {source_book(1, 5)};
  later.sources_gone = {2};
  later.jobs_gone = {"night"};
  REQUIRE(commit(*journal, BatchBuilder{}.books(later)));
  const auto found = read(*journal);
  CHECK(found.contents.sources == later.sources);
  CHECK(found.contents.jobs.empty());
}

TEST_CASE("every start has an incarnation of its own") {
  const TemporaryFolder home;
  CHECK(open_journal(home.path())->begin_incarnation() == 1);
  CHECK(open_journal(home.path())->begin_incarnation() == 2);
  const auto journal = open_journal(home.path());
  CHECK(journal->begin_incarnation() == 3);
}

TEST_CASE("an incarnation is no earlier than the wall clock says, and numbers are left for ever") {
  const TemporaryFolder home;
  const auto journal = open_journal(home.path());
  CHECK(journal->begin_incarnation(1000) == 1000);
  CHECK(journal->begin_incarnation(900) == 1001);  // a clock that was set back
  const auto by_a_mad_clock = journal->begin_incarnation(0xFFFF'FFFF).value();
  CHECK(by_a_mad_clock < 0xFFFF'FFFF - 100'000'000U);
  CHECK(journal->begin_incarnation(0xFFFF'FFFF) == by_a_mad_clock + 1);
}

TEST_CASE("the key of tokens is made once and kept") {
  const TemporaryFolder home;
  TokenKey first{};
  first.fill(1);
  TokenKey second{};
  second.fill(2);
  CHECK(open_journal(home.path())->keep_token_key(first) == first);
  const auto journal = open_journal(home.path());
  CHECK(journal->keep_token_key(second) == first);
  CHECK(read(*journal).contents.damaged.empty());
}

TEST_CASE("a second broker is kept out of the folder") {
  const TemporaryFolder home;
  const auto journal = open_journal(home.path());
  const auto second = LmdbJournal::open({home.path(), 4 * kMiB});
  REQUIRE_FALSE(second);
  CHECK(second.error().exit_code == exit_code::kUnavailable);
  CHECK(second.error().text.find("in use by another process") != std::string::npos);
}

TEST_CASE("the folder is the broker's own and the file has its whole size from the start") {
  const TemporaryFolder home;
  const auto folder = home.path() / "journal";
  const auto journal = open_journal(folder);
  struct stat status {};
  REQUIRE(::stat(folder.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0700);
  REQUIRE(::stat((folder / "data.mdb").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
  CHECK(static_cast<std::uint64_t>(status.st_blocks) * 512 >= 4 * kMiB);
  CHECK(journal->stats().bytes_max == 4 * kMiB);
}

TEST_CASE("a full journal takes no task and still settles what it has") {
  const TemporaryFolder home;
  std::uint64_t admitted = 0;
  {
    const auto journal = open_journal(home.path(), kMiB);
    while (true) {
      const auto committed = commit(*journal, BatchBuilder{}.admit(admitted, 50'000));
      if (!committed) {
        CHECK(committed.error().kind == JournalFault::Kind::full);
        break;
      }
      REQUIRE(++admitted < 100);
    }
    CHECK(admitted > 10);
    CHECK(journal->stats().tasks == admitted);
  }
  // A restart while it is full.
  const auto journal = open_journal(home.path(), kMiB);
  REQUIRE(journal->begin_incarnation());
  CHECK(read(*journal).tasks.size() == admitted);
  for (std::uint64_t i = 0; i < admitted; ++i) REQUIRE(commit(*journal, BatchBuilder{}.end(i)));
  CHECK(journal->stats().tasks == 0);
  CHECK(commit(*journal, BatchBuilder{}.admit(1000, 50'000)));
}

TEST_CASE("a journal grows with its options, and shrinks no further than it is in use") {
  const TemporaryFolder home;
  std::uint64_t small = 0;
  {
    const auto journal = open_journal(home.path(), 8 * kMiB);
    for (std::uint64_t i = 0; i < 40; ++i) {
      REQUIRE(commit(*journal, BatchBuilder{}.admit(i, 100'000)));
    }
  }
  {
    const auto journal = open_journal(home.path(), kMiB);
    small = journal->stats().bytes_max;
    CHECK(small < 8 * kMiB);
    CHECK(small > 40 * 100'000);
    CHECK(read(*journal).tasks.size() == 40);
    CHECK_FALSE(commit(*journal, BatchBuilder{}.admit(99, 400'000)));
  }
  const auto journal = open_journal(home.path(), 16 * kMiB);
  CHECK(journal->stats().bytes_max == 16 * kMiB);
  CHECK(std::filesystem::file_size(home.path() / "data.mdb") == 16 * kMiB);
  CHECK(commit(*journal, BatchBuilder{}.admit(99, 2'000'000)));
}

TEST_CASE("a folder that cannot be made is named") {
  const TemporaryFolder home;
  std::ofstream(home.path() / "file") << "no folder";
  const auto journal = LmdbJournal::open({home.path() / "file", kMiB});
  REQUIRE_FALSE(journal);
  CHECK(journal.error().exit_code == exit_code::kCannotCreate);
  CHECK(journal.error().text.find((home.path() / "file").string()) != std::string::npos);
}

TEST_CASE("a start that was cut off while it made the file is started again") {
  const TemporaryFolder home;
  std::ofstream(home.path() / "incoming.mdb") << "half of it";
  const auto journal = open_journal(home.path());
  CHECK(commit(*journal, BatchBuilder{}.admit(1)));
}

namespace {

/// Changes a closed journal behind its back.
template <class Change>
void tamper(const std::filesystem::path& folder, const Change& change) {
  const auto environment = LmdbEnvironment::open(folder, LmdbEnvironment::Use::journal, 4 * kMiB);
  REQUIRE(environment);
  auto transaction = LmdbTransaction::begin(*environment, LmdbTransaction::Access::write);
  REQUIRE(transaction);
  change(*transaction);
  // Every commit of ours writes the state.
  const std::string state(**transaction->get(Table::meta, kStateKey));
  REQUIRE(transaction->put(Table::meta, kStateKey,
                           sealed(Table::meta, kStateKey, transaction->number(),
                                  std::string_view(state).substr(kSealBytes))));
  REQUIRE(transaction->commit());
}

void flip_last_byte(LmdbTransaction& transaction, Table table, std::uint64_t sequence) {
  const auto key = id_key(journaled_task(sequence).id);
  std::string value(**transaction.get(table, key));
  value.back() = static_cast<char>(value.back() ^ 1);
  REQUIRE(transaction.put(table, key, value));
}

}  // namespace

TEST_CASE("damaged tasks are named at every start until they are ended, the others are there") {
  const TemporaryFolder home;
  REQUIRE(commit(*open_journal(home.path()),
                 BatchBuilder{}.admit(1).admit(2, 100'000).admit(3).admit(4)));
  tamper(home.path(), [](LmdbTransaction& transaction) {
    flip_last_byte(transaction, Table::tasks, 1);
    flip_last_byte(transaction, Table::payloads, 2);
    REQUIRE(transaction.remove(Table::payloads, id_key(journaled_task(3).id)));
  });
  {
    const auto journal = open_journal(home.path());
    CHECK(journal->found_damaged().size() == 3);
  }
  const auto journal = open_journal(home.path());
  CHECK(journal->found_damaged().empty());
  auto found = read(*journal);
  CHECK(found.tasks.size() == 1);
  CHECK(found.tasks.count(4) == 1);
  REQUIRE(found.contents.damaged.size() == 3);
  CHECK(found.contents.damaged[0].id == journaled_task(1).id);
  CHECK(found.contents.damaged[0].text == "its record: its checksum is wrong");
  CHECK(found.contents.damaged[1].text == "its payload: its checksum is wrong");
  CHECK(found.contents.damaged[2].text == "its payload is missing");
  REQUIRE(commit(*journal, BatchBuilder{}.end(1).admit(2)));
  found = read(*journal);
  CHECK(found.tasks.size() == 2);
  REQUIRE(found.contents.damaged.size() == 1);
  CHECK(found.contents.damaged[0].id == journaled_task(3).id);
}

TEST_CASE("a journal with fewer tasks than it counted is refused, and says how many") {
  const TemporaryFolder home;
  REQUIRE(commit(*open_journal(home.path()), BatchBuilder{}.admit(1).admit(2)));
  tamper(home.path(), [](LmdbTransaction& transaction) {
    REQUIRE(transaction.remove(Table::tasks, id_key(journaled_task(1).id)));
    REQUIRE(transaction.remove(Table::payloads, id_key(journaled_task(1).id)));
  });
  const auto journal = LmdbJournal::open({home.path(), 4 * kMiB});
  REQUIRE_FALSE(journal);
  CHECK(journal.error().exit_code == exit_code::kDiskError);
  CHECK(journal.error().text.find("should have 2 tasks and has 1: 1 are missing") !=
        std::string::npos);
  CHECK(journal.error().text.find("framefleet journal salvage") != std::string::npos);
}

TEST_CASE("a damaged book is refused") {
  const TemporaryFolder home;
  REQUIRE(commit(*open_journal(home.path()), BatchBuilder{}.count(1)));
  tamper(home.path(), [](LmdbTransaction& transaction) {
    REQUIRE(transaction.put(Table::jobs, "night", "no book"));
  });
  const auto journal = LmdbJournal::open({home.path(), 4 * kMiB});
  REQUIRE_FALSE(journal);
  CHECK(journal.error().text.find("a record of jobs") != std::string::npos);
}

TEST_CASE("a later format is refused without a word of damage") {
  const TemporaryFolder home;
  open_journal(home.path());
  tamper(home.path(), [](LmdbTransaction& transaction) {
    REQUIRE(transaction.put(
        Table::meta, kFormatKey,
        sealed(Table::meta, kFormatKey, transaction.number(), format_body(kFormatVersion + 1))));
  });
  const auto journal = LmdbJournal::open({home.path(), 4 * kMiB});
  REQUIRE_FALSE(journal);
  CHECK(journal.error().text.find("has format 2, and this build reads 1") != std::string::npos);
}

TEST_CASE("a file of somebody else is not touched") {
  const TemporaryFolder home;
  std::ofstream(home.path() / "data.mdb") << std::string(100'000, 'x');
  const auto journal = LmdbJournal::open({home.path(), 4 * kMiB});
  REQUIRE_FALSE(journal);
  CHECK(journal.error().text.find("is no file of LMDB") != std::string::npos);
  CHECK(std::filesystem::file_size(home.path() / "data.mdb") == 100'000);
}

TEST_CASE("what happens to a child that reads a file is told, and no more happens") {
  const auto patience = std::chrono::seconds(60);
  CHECK(report_of_child([](const Report& tell) { tell("a"), tell(""), tell("b"); }, patience) ==
        "ab");
  const auto died = report_of_child([](const Report&) { ::raise(SIGKILL); }, patience);
  REQUIRE_FALSE(died);
  CHECK(died.error().find("Killed") != std::string::npos);
  const auto hung = report_of_child(
      [](const Report&) {
        while (true) ::pause();
      },
      std::chrono::milliseconds(50));
  REQUIRE_FALSE(hung);
  CHECK(hung.error().find("hung") != std::string::npos);
  CHECK_FALSE(report_of_child([](const Report&) { throw 1; }, patience));
}
