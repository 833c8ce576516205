// Dead letters under their cap, revived, pruned: bytes go, rows stay, and the totals are exact.

#include "sink/stores/schema.hpp"
#include "tests/unit/sink/store_fixture.hpp"

#include <string_view>

namespace framefleet::test {
namespace {

sink::SqliteStoreOptions capped(const std::filesystem::path& folder, std::uint64_t bytes_max) {
  auto options = store_options(folder);
  options.dead_letters_bytes_max = bytes_max;
  return options;
}

/// "sequence:kept/dropped" of every letter, the oldest first.
std::string letters(const std::filesystem::path& folder) {
  return text(
      folder,
      "SELECT coalesce(group_concat(line, ' '), '') FROM (SELECT o.sequence || ':' || "
      "sum(coalesce(length(l.bytes), 0)) || '/' || sum(l.bytes_dropped) AS line FROM "
      "dead_letter_rows l JOIN outcomes o ON o.id = l.outcome GROUP BY o.id ORDER BY o.id)");
}

std::string totals(const sink::ResultStore& store) {
  const auto stats = store.stats();
  return std::to_string(stats.dead_letters) + " " + std::to_string(stats.dead_letter_bytes) + " " +
         std::to_string(stats.dead_letter_bytes_dropped);
}

constexpr std::string_view kFour = "1234";

TEST_CASE("over the cap the oldest dead letters lose their bytes and keep their rows") {
  const TemporaryFolder folder;
  const auto store = open_store(capped(folder.path(), 10));
  commit(*store, {failed_outcome(1, kFour), failed_outcome(2, kFour)});
  CHECK(letters(folder.path()) == "1:4/0 2:4/0");
  CHECK(totals(*store) == "2 8 0");
  commit(*store, {failed_outcome(3, kFour)});
  CHECK(letters(folder.path()) == "1:0/4 2:4/0 3:4/0");
  CHECK(number(folder.path(), "SELECT count(*) FROM dead_letters WHERE bytes IS NULL") == 1);
  CHECK(totals(*store) == "3 8 4");
  commit(*store, {failed_outcome(4, "0123456789"), ok_outcome(5)});
  CHECK(letters(folder.path()) == "1:0/4 2:0/4 3:0/4 4:10/0");
  CHECK(totals(*store) == "4 10 12");
}

TEST_CASE("one batch may hold more dead letters than the cap: the newest of it stay") {
  const TemporaryFolder folder;
  const auto store = open_store(capped(folder.path(), 10));
  commit(*store, {failed_outcome(1, kFour), failed_outcome(2, kFour), failed_outcome(3, kFour)});
  CHECK(letters(folder.path()) == "1:0/4 2:4/0 3:4/0");
  CHECK(totals(*store) == "3 8 4");
}

TEST_CASE("a picture above the whole cap is a row without bytes, and costs no other its own") {
  const TemporaryFolder folder;
  const auto store = open_store(capped(folder.path(), 10));
  commit(*store, {failed_outcome(1, kFour), failed_outcome(2, "0123456789A")});
  CHECK(letters(folder.path()) == "1:4/0 2:0/11");
  CHECK(number(folder.path(), "SELECT count(*) FROM dead_letters WHERE bytes IS NULL") == 1);
  CHECK(totals(*store) == "2 4 11");
}

TEST_CASE("a dead letter of several frames is kept whole or not at all") {
  const TemporaryFolder folder;
  const auto store = open_store(capped(folder.path(), 10));
  auto pair = failed_outcome(1, kFour);
  pair.picture.emplace_back("12");
  commit(*store, {pair, failed_outcome(2, kFour)});
  CHECK(letters(folder.path()) == "1:6/0 2:4/0");
  commit(*store, {failed_outcome(3, "1")});
  CHECK(letters(folder.path()) == "1:0/6 2:4/0 3:1/0");
  auto large = pair;
  large.outcome.id = task_number(4);
  large.picture.emplace_back("12345");
  commit(*store, {large});
  CHECK(letters(folder.path()) == "1:0/6 2:4/0 3:1/0 4:0/11");
  CHECK(totals(*store) == "4 5 17");
}

TEST_CASE("under a cap of nothing no picture is kept") {
  const TemporaryFolder folder;
  const auto store = open_store(capped(folder.path(), 0));
  commit(*store, {failed_outcome(1, "1"), failed_outcome(2, "")});
  CHECK(letters(folder.path()) == "1:0/1 2:0/0");
}

TEST_CASE("what dead letters take is known again after a restart") {
  const TemporaryFolder folder;
  {
    const auto store = open_store(capped(folder.path(), 10));
    commit(*store, {failed_outcome(1, kFour), failed_outcome(2, kFour), failed_outcome(3, kFour)});
  }
  SECTION("under the same cap") {
    const auto store = open_store(capped(folder.path(), 10));
    CHECK(totals(*store) == "3 8 0");
    commit(*store, {failed_outcome(4, "12")});
    CHECK(letters(folder.path()) == "1:0/4 2:4/0 3:4/0 4:2/0");
    commit(*store, {failed_outcome(5, "1")});
    CHECK(letters(folder.path()) == "1:0/4 2:0/4 3:4/0 4:2/0 5:1/0");
  }
  SECTION("under a lower one, which holds from the next failure on") {
    const auto store = open_store(capped(folder.path(), 4));
    CHECK(totals(*store) == "3 8 0");
    commit(*store, {failed_outcome(4, "12")});
    CHECK(letters(folder.path()) == "1:0/4 2:0/4 3:0/4 4:2/0");
    CHECK(totals(*store) == "4 2 8");
  }
}

TEST_CASE("a commit that finds no room drops no letter, and counts none") {
  const TemporaryFolder folder;
  const std::string picture(100'000, 'x');
  auto options = capped(folder.path(), 250'000);
  options.pages_max = 120;
  const auto store = open_store(options);
  commit(*store, {failed_outcome(1, picture), failed_outcome(2, picture)});
  // The second picture of the batch makes the first row lose its bytes; the annotated origin of
  // 300 others then finds no page.
  std::vector<sink::OutcomeToStore> batch{failed_outcome(3, picture)};
  for (std::uint64_t i = 0; i < 300; ++i)
    batch.push_back(ok_outcome(100 + i, std::string(4000, 'o')));
  const auto refused = store->commit(batch);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == sink::StoreError::Kind::full);
  CHECK(letters(folder.path()) == "1:100000/0 2:100000/0");
  CHECK(totals(*store) == "2 200000 0");
  commit(*store, {failed_outcome(3, picture)});
  CHECK(letters(folder.path()) == "1:0/100000 2:100000/0 3:100000/0");
  CHECK(totals(*store) == "3 200000 100000");
}

TEST_CASE("retention takes whole dead letters, and the totals follow") {
  const TemporaryFolder folder;
  auto options = capped(folder.path(), 10);
  options.retention.keep = std::chrono::hours(1);
  auto now_ms = kNoon;
  options.now_ms = [&now_ms] { return now_ms; };
  const auto store = open_store(std::move(options));
  commit(*store, {failed_outcome(1, kFour), ok_outcome(2)});
  now_ms += 3'600'000;
  commit(*store, {failed_outcome(3, kFour)});
  REQUIRE(store->prune(now_ms));
  CHECK(letters(folder.path()) == "3:4/0");
  CHECK(totals(*store) == "1 4 0");
  commit(*store, {failed_outcome(4, "123456")});
  CHECK(letters(folder.path()) == "3:4/0 4:6/0");
}

std::string revived_as(const std::filesystem::path& folder, std::uint64_t sequence) {
  return text(folder, "SELECT coalesce(revived_as, '') FROM outcomes WHERE sequence = " +
                          std::to_string(sequence));
}

sink::OutcomeToStore revival(sink::OutcomeToStore given, std::uint64_t of) {
  given.outcome.revived_from = task_number(of);
  return given;
}

TEST_CASE("whatever a revived task ends as, the old one names it and stays failed") {
  const TemporaryFolder folder;
  const auto store = open_store(store_options(folder.path()));
  commit(*store, {failed_outcome(1, "x")});
  CHECK(revived_as(folder.path(), 1).empty());
  SECTION("ok") { commit(*store, {revival(ok_outcome(2), 1)}); }
  SECTION("failed again") { commit(*store, {revival(failed_outcome(2, "x"), 1)}); }
  SECTION("superseded, which leaves no row") {
    auto given = revival(ok_outcome(2), 1);
    given.outcome.task_class = TaskClass::live;
    given.outcome.status = Status::superseded;
    commit(*store, {given});
    CHECK(number(folder.path(), "SELECT count(*) FROM gaps") == 1);
  }
  SECTION("of several the latest, and a copy of an older one is not later") {
    commit(*store, {revival(ok_outcome(9), 1)});
    commit(*store, {revival(ok_outcome(2), 1), revival(ok_outcome(9), 1)});
  }
  CHECK(revived_as(folder.path(), 1) == to_string(task_number(2)));
  CHECK(text(folder.path(), "SELECT status FROM outcomes WHERE sequence = 1") == "failed");
}

TEST_CASE("a revived task says what it tried again; of an unknown or sound one nothing is noted") {
  const TemporaryFolder folder;
  const auto store = open_store(store_options(folder.path()));
  commit(*store, {ok_outcome(1), revival(ok_outcome(2), 1), revival(ok_outcome(3), 77),
                  revival(failed_outcome(4, "x"), 4)});
  CHECK(text(folder.path(), "SELECT group_concat(coalesce(revived_from, '-')) FROM outcomes") ==
        "-," + to_string(task_number(1)) + "," + to_string(task_number(77)) + "," +
            to_string(task_number(4)));
  CHECK(number(folder.path(), "SELECT count(revived_as) FROM outcomes") == 0);
}

TEST_CASE("a store of version 1 keeps its outcomes and learns of revivals") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "results.sqlite";
  {
    auto database = sink::Database::open(file, sink::Access::write);
    REQUIRE(database);
    REQUIRE(sink::prepare_schema(**database, file, sink::schema_migrations().first(1)));
    REQUIRE((*database)->execute(
        "INSERT INTO meta VALUES ('store', 'its-uuid');"
        "INSERT INTO outcomes (task, job, source, epoch, sequence, class, origin, detect, status, "
        "reason, text, damaged, attempts, stored_at, queued, leased, worker, build) VALUES "
        "('abcdef0123456789-1-1', '', 'photos', 1, 1, 'batch', 'a.jpg', 'faces', 'failed', "
        "'unreadable', '', 0, 1, '2024-05-01T12:00:00.000Z', 0, 0, '', '');"
        "INSERT INTO dead_letter_rows (outcome, frame, bytes_dropped, bytes) "
        "VALUES (1, 0, 0, x'313233')"));
  }
  const auto store = open_store(capped(folder.path(), 5));
  CHECK(store->uuid() == "its-uuid");
  CHECK(totals(*store) == "1 3 0");
  commit(*store, {revival(failed_outcome(2, kFour), 1)});
  CHECK(letters(folder.path()) == "1:0/3 2:4/0");
  CHECK(revived_as(folder.path(), 1) == to_string(task_number(2)));
  CHECK(number(folder.path(), "SELECT annotated FROM outcomes WHERE sequence = 1") == 0);
  CHECK(std::filesystem::exists(file.string() + ".v1.bak"));
}

}  // namespace
}  // namespace framefleet::test
