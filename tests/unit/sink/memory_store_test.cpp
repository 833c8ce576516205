#include "sink/stores/memory_store.hpp"

#include "tests/unit/sink/store_fixture.hpp"

namespace framefleet::test {
namespace {

/// What every store promises; run on both.
void check_promises(sink::ResultStore& store) {
  CHECK(store.uuid().size() == 36);
  CHECK(commit(store, {}).empty());
  const auto first = commit(store, {ok_outcome(1), failed_outcome(2, "x"), failed_outcome(1, "x")});
  REQUIRE(first.size() == 3);
  CHECK(first[0] == SettledTask{task_number(1), Status::ok, Reason::none, ""});
  CHECK(first[1].reason == Reason::not_a_picture);
  CHECK(first[2] == first[0]);
  const auto second = commit(store, {ok_outcome(2), ok_outcome(3)});
  CHECK(second[0] == first[1]);
  const std::vector<TaskId> asked{task_number(9), task_number(3), task_number(2)};
  const auto found = store.find(asked);
  REQUIRE(found);
  CHECK(*found == std::vector<SettledTask>{second[1], first[1]});
  const auto stats = store.stats();
  CHECK(stats.stored == 3);
  CHECK(stats.duplicates == 2);
  const auto step = store.prune(kNoon);
  REQUIRE(step);
  CHECK_FALSE(step->more);
}

TEST_CASE("the store in memory keeps the promises of a store") {
  sink::MemoryStore store;
  check_promises(store);
  CHECK(store.order() == std::vector<TaskId>{task_number(1), task_number(2), task_number(3)});
  REQUIRE(store.outcome(task_number(1)) != nullptr);
  CHECK(store.outcome(task_number(1))->record.reports.size() == 2);
  CHECK(store.outcome(task_number(9)) == nullptr);
}

TEST_CASE("the store on disk keeps the promises of a store") {
  const TemporaryFolder folder;
  const auto store = open_store(store_options(folder.path()));
  check_promises(*store);
}

TEST_CASE("the store in memory fails when it is told to, and stores nothing then") {
  sink::MemoryStore store;
  store.fail_next_commit({sink::StoreError::Kind::full, "full"});
  const std::vector<sink::OutcomeToStore> one{ok_outcome(1)};
  CHECK_FALSE(store.commit(one));
  CHECK(store.order().empty());
  CHECK(store.commit(one));
}

}  // namespace
}  // namespace framefleet::test
