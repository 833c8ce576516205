#include "tests/unit/sink/store_fixture.hpp"

namespace framefleet::test {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;

/// Prunes until there is nothing more to do; returns the number of outcomes emptied.
std::uint64_t prune_all(sink::ResultStore& store, std::int64_t now_ms) {
  std::uint64_t outcomes = 0;
  for (int steps = 0; steps < 1000; ++steps) {
    const auto step = store.prune(now_ms);
    if (!step) FAIL(step.error().text);
    outcomes += step->outcomes;
    if (!step->more) return outcomes;
  }
  FAIL("pruning does not end");
  return outcomes;
}

struct AgedStore {
  TemporaryFolder folder;
  std::int64_t now_ms{kNoon};
  std::unique_ptr<sink::SqliteStore> store;

  explicit AgedStore(const sink::Retention& retention) {
    auto options = store_options(folder.path());
    options.retention = retention;
    options.now_ms = [this] { return now_ms; };
    store = open_store(std::move(options));
  }
};

TEST_CASE("what is too old goes, the id stays") {
  AgedStore aged({std::chrono::hours(2), 0});
  commit(*aged.store, {annotated_outcome(1, "old.jpg", "old"), failed_outcome(2, "bytes")});
  aged.now_ms += kHourMs;
  commit(*aged.store, {annotated_outcome(3, "young.jpg", "young")});
  const auto& out = aged.folder.path();

  CHECK(prune_all(*aged.store, kNoon + 2 * kHourMs - 1) == 0);
  CHECK(prune_all(*aged.store, kNoon + 2 * kHourMs) == 2);
  CHECK(text(out, "SELECT group_concat(sequence || ':' || pruned) FROM outcomes") == "1:1,2:1,3:0");
  CHECK_FALSE(std::filesystem::exists(out / "annotated" / "old.jpg"));
  CHECK(std::filesystem::exists(out / "annotated" / "young.jpg"));
  CHECK(text(out,
             "SELECT (SELECT count(*) FROM detections) || ' ' || (SELECT count(*) FROM "
             "detector_runs) || ' ' || (SELECT count(*) FROM attempts) || ' ' || (SELECT "
             "count(*) FROM dead_letters) || ' ' || (SELECT count(*) FROM pictures)") ==
        "2 2 1 0 1");
  CHECK(commit(*aged.store, {ok_outcome(2)}).at(0).status == Status::failed);
  CHECK(aged.store->stats().pruned == 2);
  CHECK(aged.store->stats().picture_bytes == 5);
  CHECK(prune_all(*aged.store, kNoon + 2 * kHourMs) == 0);
}

TEST_CASE("over the cap the oldest go first, until the rest fits") {
  AgedStore aged({std::chrono::milliseconds(0), 2'000'000});
  const std::string picture(100'000, 'x');
  for (std::uint64_t i = 0; i < 15; ++i) {
    commit(*aged.store, {annotated_outcome(2 * i, "picture-" + std::to_string(i), picture),
                         failed_outcome(2 * i + 1, picture)});
  }
  const auto before = aged.store->stats();
  CHECK(before.database_bytes > 1'500'000);
  CHECK(before.picture_bytes == 1'500'000);
  const auto pruned = prune_all(*aged.store, kNoon);
  const auto after = aged.store->stats();
  CHECK(after.database_bytes + after.picture_bytes <= 2'000'000);
  CHECK(after.database_bytes + after.picture_bytes > 1'700'000);
  CHECK(pruned < 20);
  CHECK(aged.store->prune(kNoon)->excess_bytes == 0);
  CHECK(number(aged.folder.path(), "SELECT max(id) FROM outcomes WHERE pruned = 1") ==
        static_cast<std::int64_t>(pruned));
  CHECK(prune_all(*aged.store, kNoon) == 0);
}

TEST_CASE("a step is bounded, and the steps come to an end") {
  AgedStore aged({std::chrono::hours(1), 0});
  std::vector<sink::OutcomeToStore> many;
  for (std::uint64_t i = 0; i < 600; ++i) many.push_back(ok_outcome(i));
  commit(*aged.store, many);
  const auto first = aged.store->prune(kNoon + kHourMs);
  REQUIRE(first);
  CHECK(first->outcomes == 256);
  CHECK(first->more);
  CHECK(prune_all(*aged.store, kNoon + kHourMs) == 344);
}

TEST_CASE("dead letters go in steps that fit into the log, and are not written anew") {
  AgedStore aged({std::chrono::hours(1), 0});
  const std::string picture(1'000'000, 'x');
  for (std::uint64_t i = 0; i < 40; ++i) commit(*aged.store, {failed_outcome(i, picture)});
  const auto before = aged.store->stats().database_bytes;
  const auto log = aged.folder.path() / "results.sqlite-wal";
  const auto logged = std::filesystem::file_size(log);
  const auto first = aged.store->prune(kNoon + kHourMs);
  REQUIRE(first);
  CHECK(first->outcomes == 17);
  CHECK(first->more);
  CHECK(prune_all(*aged.store, kNoon + kHourMs) == 23);
  CHECK(aged.store->stats().database_bytes < before - 39 * picture.size());
  // Pages that are moved to give others back are in it: 2000 of 4 KiB a step.
  CHECK(std::filesystem::file_size(log) < logged + 9 * picture.size());
}

TEST_CASE("where even empty outcomes are above the cap, pruning ends") {
  AgedStore aged({std::chrono::milliseconds(0), 1});
  commit(*aged.store, {ok_outcome(1), ok_outcome(2)});
  CHECK(prune_all(*aged.store, kNoon) == 2);
  CHECK(prune_all(*aged.store, kNoon) == 0);
  const auto step = aged.store->prune(kNoon);
  REQUIRE(step);
  CHECK(step->excess_bytes == aged.store->stats().database_bytes - 1);
}

TEST_CASE("without retention nothing goes") {
  AgedStore aged({});
  commit(*aged.store, {ok_outcome(1)});
  CHECK(prune_all(*aged.store, kNoon + 100'000 * kHourMs) == 0);
}

TEST_CASE("pruning goes on where it was after the store was opened again") {
  const TemporaryFolder folder;
  auto options = store_options(folder.path());
  options.retention.keep = std::chrono::hours(1);
  {
    const auto store = open_store(options);
    commit(*store, {annotated_outcome(1, "a.jpg", "x")});
    CHECK(prune_all(*store, kNoon + kHourMs) == 1);
    commit(*store, {annotated_outcome(2, "a.jpg", "y")});
  }
  const auto store = open_store(options);
  CHECK(store->stats().picture_bytes == 1);
  // The file may be gone already, as after a crash between removing it and the rows.
  std::filesystem::remove(folder.path() / "annotated" / "a.jpg");
  CHECK(prune_all(*store, kNoon + kHourMs) == 1);
  CHECK(number(folder.path(), "SELECT count(*) FROM outcomes WHERE pruned = 1") == 2);
}

TEST_CASE("a step that was cut short is finished, though everything is to be kept by then") {
  const TemporaryFolder folder;
  auto options = store_options(folder.path());
  options.retention.keep = std::chrono::hours(1);
  const std::filesystem::path a = folder.path() / "annotated" / "a.jpg";
  {
    const auto store = open_store(options);
    commit(*store, {annotated_outcome(1, "a.jpg", "x"), annotated_outcome(2, "b.jpg", "y")});
    commit(*store, {annotated_outcome(3, "c.jpg", "z")});
    // A step that cannot remove its second file ends where a crash between the two would.
    std::filesystem::remove(folder.path() / "annotated" / "b.jpg");
    std::filesystem::create_directories(folder.path() / "annotated" / "b.jpg" / "in the way");
    CHECK_FALSE(store->prune(kNoon + kHourMs).has_value());
    CHECK_FALSE(std::filesystem::exists(a));
    CHECK(number(folder.path(), "SELECT count(*) FROM pictures WHERE path = 'annotated/a.jpg'") ==
          1);
  }
  std::filesystem::remove_all(folder.path() / "annotated" / "b.jpg");
  options.retention = {};
  const auto store = open_store(options);
  CHECK(text(folder.path(), "SELECT group_concat(sequence || ':' || pruned) FROM outcomes") ==
        "1:1,2:1,3:1");
  CHECK(number(folder.path(), "SELECT count(*) FROM pictures") == 0);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "annotated" / "c.jpg"));
  CHECK(store->stats().picture_bytes == 0);
}

}  // namespace
}  // namespace framefleet::test
