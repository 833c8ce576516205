#include "broker/core/storing_table.hpp"

#include "broker/core/task.hpp"
#include "tests/support/catch.hpp"

using namespace framefleet;
using namespace framefleet::broker;

namespace {

TaskId id(std::uint64_t sequence) { return {1, 1, sequence, 0}; }

StoringTask storing(std::uint64_t sequence) {
  StoringTask task;
  task.outcome.id = id(sequence);
  task.outcome.payload.bytes = 10;
  task.lease = {1, sequence + 100};
  return task;
}

std::optional<TaskId> next(StoringTable& table, std::uint64_t window, std::uint64_t written = 0) {
  const auto* outcome = table.send_next(window, written);
  if (outcome == nullptr) return std::nullopt;
  return outcome->id;
}

}  // namespace

TEST_CASE("outcomes are sent in order, no more at a time than the window holds") {
  StoringTable table;
  for (std::uint64_t s = 0; s < 3; ++s) table.add(storing(s));
  CHECK(table.bytes() == 3 * (10 + StoringTable::kTables));
  CHECK(next(table, 2) == id(0));
  CHECK(next(table, 2) == id(1));
  CHECK_FALSE(next(table, 2));
  CHECK(table.sent_count() == 2);
  REQUIRE(table.close(id(0)));
  CHECK(next(table, 2) == id(2));
  CHECK_FALSE(next(table, 9));
  CHECK(table.bytes() == 2 * (10 + StoringTable::kTables));
}

TEST_CASE("an outcome waits until the journal has its task; those behind it do not") {
  StoringTable table;
  for (std::uint64_t s = 0; s < 4; ++s) {
    auto one = storing(s);
    one.written_by = s == 0 ? 8 : s == 2 ? 7 : s;
    table.add(std::move(one));
  }
  CHECK(next(table, 9, 6) == id(1));
  CHECK(next(table, 9, 6) == id(3));
  CHECK_FALSE(next(table, 9, 6));
  CHECK(table.sent_count() == 2);
  table.send_again();
  CHECK(next(table, 9, 7) == id(1));
  CHECK(next(table, 9, 7) == id(3));
  CHECK(next(table, 9, 7) == id(2));
  CHECK_FALSE(next(table, 9, 7));
  CHECK(next(table, 9, 8) == id(0));
  CHECK(table.sent_count() == 4);
}

TEST_CASE("what waits for the journal can be closed too") {
  StoringTable table;
  for (std::uint64_t s = 0; s < 3; ++s) {
    auto one = storing(s);
    one.written_by = 7;
    table.add(std::move(one));
  }
  CHECK_FALSE(next(table, 9, 6));
  REQUIRE(table.close(id(1)));
  CHECK(table.count() == 2);
  CHECK(table.sent_count() == 0);
  CHECK(next(table, 9, 7) == id(0));
  CHECK(next(table, 9, 7) == id(2));
  CHECK_FALSE(next(table, 9, 7));
}

TEST_CASE("a new sink gets everything again, from the oldest on") {
  StoringTable table;
  for (std::uint64_t s = 0; s < 3; ++s) table.add(storing(s));
  while (next(table, 9)) {
  }
  REQUIRE(table.close(id(1)));
  table.send_again();
  CHECK(table.sent_count() == 0);
  CHECK(next(table, 9) == id(0));
  CHECK(next(table, 9) == id(2));
  CHECK_FALSE(next(table, 9));
}

TEST_CASE("what was not sent yet can be closed too: an earlier sink stored it") {
  StoringTable table;
  table.add(storing(0));
  table.add(storing(1));
  REQUIRE(next(table, 1) == id(0));
  REQUIRE(table.close(id(1)));
  CHECK(table.sent_count() == 1);
  CHECK_FALSE(table.close(id(1)));
  CHECK(table.count() == 1);
  CHECK(table.holds(id(0)));
  CHECK_FALSE(table.holds(id(1)));
}

TEST_CASE("behind one that was closed unsent, the line goes on") {
  StoringTable table;
  for (std::uint64_t s = 0; s < 3; ++s) table.add(storing(s));
  REQUIRE(next(table, 9) == id(0));
  REQUIRE(table.close(id(1)));
  CHECK(next(table, 9) == id(2));
  CHECK_FALSE(next(table, 9));
  table.add(storing(3));
  CHECK(next(table, 9) == id(3));
}

TEST_CASE("what is to be sent again counts as sent no more") {
  StoringTable table;
  for (std::uint64_t s = 0; s < 3; ++s) table.add(storing(s));
  REQUIRE(next(table, 9) == id(0));
  REQUIRE(next(table, 9) == id(1));
  table.send_again();
  REQUIRE(table.close(id(1)));
  CHECK(table.sent_count() == 0);
  REQUIRE(next(table, 9) == id(0));
  REQUIRE(table.close(id(0)));
  CHECK(table.sent_count() == 0);
  CHECK(next(table, 9) == id(2));
}

TEST_CASE("an outcome is known by the lease it came from") {
  StoringTable table;
  table.add(storing(0));
  CHECK(table.came_from(id(0), {1, 100}));
  CHECK_FALSE(table.came_from(id(0), {1, 101}));
  CHECK_FALSE(table.came_from(id(1), {1, 100}));
}
