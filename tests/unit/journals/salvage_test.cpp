#include "broker/journals/journal_tools.hpp"
#include "broker/journals/page_tables.hpp"
#include "tests/unit/journals/journal_fixture.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

using namespace framefleet;
using namespace framefleet::broker;
using namespace framefleet::test;

namespace {

constexpr std::uint64_t kTasks = 60;

void fill(const std::filesystem::path& folder) {
  const auto journal = open_journal(folder);
  REQUIRE(journal->begin_incarnation());
  for (std::uint64_t i = 0; i < kTasks; ++i) {
    REQUIRE(commit(*journal, BatchBuilder{}.admit(i, 500 * (i % 10)).count(i + 1)));
  }
  for (std::uint64_t i = 0; i < kTasks; i += 10) {
    REQUIRE(commit(*journal, BatchBuilder{}.end(i)));
  }
}
constexpr std::uint64_t kLeft = kTasks - kTasks / 10;

/// The pages of the tree of a table that is whole.
TreeRoot root_of(const std::filesystem::path& folder, Table table) {
  const auto file = PageFile::open(folder / "data.mdb");
  REQUIRE(file);
  const auto& [first, second] = file->metas();
  const auto& meta = first->transaction < second->transaction ? *second : *first;
  PageWalk walk(*file, meta);
  return *table_roots(walk, meta)[static_cast<std::size_t>(table)];
}

void overwrite(const std::filesystem::path& folder, std::uint64_t page) {
  std::fstream file(folder / "data.mdb", std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(page * 4096));
  file << std::string(4096, '\xFF');
}

void check_saved(const std::filesystem::path& folder, const Salvaged& saved) {
  const auto journal = open_journal(folder);
  const auto found = read(*journal);
  CHECK(found.tasks.size() == saved.tasks);
  CHECK(found.contents.damaged.size() == saved.lost.size());
  for (const auto& [sequence, task] : found.tasks) {
    CHECK(task.task == journaled_task(sequence));
    CHECK(task.frames == std::vector{payload_of(sequence, 500 * (sequence % 10))});
  }
  CHECK(journal->begin_incarnation().value() > kIncarnationsSkipped);
}

}  // namespace

TEST_CASE("a salvage of a whole journal is that journal") {
  const TemporaryFolder home;
  fill(home.path() / "old");
  const auto saved = salvage(home.path() / "old", home.path() / "new", 1);
  REQUIRE(saved);
  CHECK(saved->tasks == kLeft);
  CHECK(saved->counted == kLeft);
  CHECK(saved->missing() == 0);
  CHECK(saved->lost.empty());
  CHECK_FALSE(saved->may_have_settled);
  CHECK(saved->sources == 1);
  CHECK(saved->jobs == 1);
  check_saved(home.path() / "new", *saved);
}

TEST_CASE("what no branch leads to any more is found by its seal") {
  const TemporaryFolder home;
  const auto old = home.path() / "old";
  fill(old);
  const auto root = root_of(old, Table::payloads);
  REQUIRE(root.depth > 1);
  overwrite(old, root.page);
  const auto refused = LmdbJournal::open({old, 4 * kMiB});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text.find("framefleet journal salvage " + old.string()) !=
        std::string::npos);
  const auto saved = salvage(old, home.path() / "new", 1);
  REQUIRE(saved);
  CHECK(saved->tasks == kLeft);
  CHECK(saved->missing() == 0);
  CHECK(saved->lost.empty());
  check_saved(home.path() / "new", *saved);
}

TEST_CASE("lost tasks are named, and counted where they have no name any more") {
  const TemporaryFolder home;
  const auto old = home.path() / "old";
  fill(old);
  // A leaf of records: the tasks have payloads still, and so names.
  const auto file = PageFile::open(old / "data.mdb");
  REQUIRE(file);
  std::string bytes;
  REQUIRE(file->read(root_of(old, Table::tasks).page, 1, bytes));
  const auto branch = parse_page(bytes, root_of(old, Table::tasks).page);
  REQUIRE(branch);
  REQUIRE_FALSE(branch->is_leaf);
  overwrite(old, branch->nodes[1].page);
  const auto saved = salvage(old, home.path() / "new", 1);
  REQUIRE(saved);
  CHECK(saved->tasks < kLeft);
  CHECK_FALSE(saved->lost.empty());
  CHECK(saved->tasks + saved->lost.size() == kLeft);
  CHECK(saved->missing() == 0);
  check_saved(home.path() / "new", *saved);
}

TEST_CASE("a journal without its first pages is read leaf by leaf") {
  const TemporaryFolder home;
  const auto old = home.path() / "old";
  fill(old);
  overwrite(old, 1);
  const auto saved = salvage(old, home.path() / "new", 1);
  REQUIRE(saved);
  CHECK(saved->tasks >= kLeft - 1);
  check_saved(home.path() / "new", *saved);
  overwrite(old, 0);
  CHECK_FALSE(salvage(old, home.path() / "newer", 1));
}

TEST_CASE("a salvage writes over nothing") {
  const TemporaryFolder home;
  fill(home.path() / "old");
  open_journal(home.path() / "new");
  const auto saved = salvage(home.path() / "old", home.path() / "new", 1);
  REQUIRE_FALSE(saved);
  CHECK(saved.error().exit_code == exit_code::kCannotCreate);
  CHECK(salvage(home.path() / "none", home.path() / "x", 1).error().exit_code ==
        exit_code::kNoInput);
}

TEST_CASE("a backup taken while the journal is in use becomes a journal, its leases never again") {
  const TemporaryFolder home;
  const auto old = home.path() / "old";
  fill(old);
  const auto journal = open_journal(old);
  const auto restored = home.path() / "restored";
  std::filesystem::create_directory(restored);
  const auto copied = back_up(old, restored / "data.mdb");
  REQUIRE(copied);
  CHECK(back_up(old, restored / "data.mdb").error().exit_code == exit_code::kCannotCreate);
  REQUIRE(commit(*journal, BatchBuilder{}.end(1)));
  CHECK(std::filesystem::file_size(restored / "data.mdb") < 4 * kMiB);
  const auto findings = check_journal(restored);
  REQUIRE(findings);
  CHECK(findings->problems == std::vector<std::string>{});
  CHECK(findings->tasks == kLeft);
  const auto again = open_journal(restored);
  CHECK(read(*again).tasks.size() == kLeft);
  CHECK(again->begin_incarnation() == 2 + kIncarnationsSkipped);
  CHECK(commit(*again, BatchBuilder{}.admit(1000, 100'000)));
}

TEST_CASE("an overview is taken while the journal is in use, a check waits until it is not") {
  const TemporaryFolder home;
  fill(home.path());
  const auto journal = open_journal(home.path());
  const auto seen = overview(home.path());
  REQUIRE(seen);
  CHECK(seen->stats.tasks == kLeft);
  CHECK(seen->stats.used_bytes == journal->stats().used_bytes);
  CHECK(seen->stats.bytes_max == 4 * kMiB);
  CHECK(seen->incarnation == 1);
  CHECK(seen->sources == 1);
  CHECK(check_journal(home.path()).error().exit_code == exit_code::kUnavailable);
  CHECK(overview(home.path() / "none").error().exit_code == exit_code::kNoInput);
}
