#include "broker/core/task_table.hpp"

#include "tests/support/catch.hpp"

#include <set>
#include <vector>

using namespace framefleet;
using namespace framefleet::broker;

namespace {

std::vector<TaskId> all_of(const TaskTable& table) {
  std::set<TaskId> ids;
  std::size_t visited = 0;
  table.for_each([&](const Task& task) {
    ids.insert(task.id);
    ++visited;
  });
  CHECK(visited == ids.size());
  return {ids.begin(), ids.end()};
}

}  // namespace

TEST_CASE("a task is found by its whole id, at one address as long as it is there") {
  TaskTable table;
  CHECK(table.empty());
  std::vector<TaskId> ids;
  std::vector<Task*> tasks;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    // Several sources, epochs and parts; sequences one after the other and far apart.
    ids.push_back({i % 3, static_cast<std::uint32_t>(i % 2), i % 5 == 0 ? i << 40U : i,
                   static_cast<std::uint16_t>(i % 7)});
    CHECK(table.find(ids.back()) == nullptr);
    tasks.push_back(&table.add(ids.back()));
  }
  CHECK(table.size() == 1000);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    CHECK(table.find(ids[i]) == tasks[i]);
    CHECK(tasks[i]->id == ids[i]);
  }
  CHECK(all_of(table).size() == 1000);
}

TEST_CASE("a task that is removed is gone, and its neighbours stay") {
  TaskTable table;
  for (std::uint64_t s = 0; s < 500; ++s) table.add({1, 1, s, 0});
  for (std::uint64_t s = 0; s < 500; s += 2) table.remove(*table.find({1, 1, s, 0}));
  CHECK(table.size() == 250);
  for (std::uint64_t s = 0; s < 500; ++s) {
    CHECK((table.find({1, 1, s, 0}) == nullptr) == (s % 2 == 0));
  }
  for (std::uint64_t s = 1; s < 500; s += 2) table.remove(*table.find({1, 1, s, 0}));
  CHECK(table.empty());
  CHECK(all_of(table).empty());
  CHECK(table.add({1, 1, 0, 0}).source == nullptr);
}
