// The storing table against a list with a mark at each outcome that was sent.

#include "broker/core/storing_table.hpp"
#include "broker/core/task.hpp"
#include "tests/property/commands.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <optional>
#include <vector>

using namespace framefleet;
using namespace framefleet::broker;
using namespace framefleet::test;

namespace {

class NaiveStoring {
 public:
  void add(const TaskId& task, std::uint64_t bytes) { line_.push_back({task, bytes, false}); }
  std::optional<TaskId> send_next(std::uint64_t window) {
    if (sent_count() >= window) return std::nullopt;
    for (auto& entry : line_) {
      if (entry.sent) continue;
      entry.sent = true;
      return entry.task;
    }
    return std::nullopt;
  }
  void send_again() {
    for (auto& entry : line_) entry.sent = false;
  }
  bool close(const TaskId& task) {
    return std::erase_if(line_, [&](const Entry& entry) { return entry.task == task; }) > 0;
  }
  bool holds(const TaskId& task) const {
    return std::any_of(line_.begin(), line_.end(),
                       [&](const Entry& entry) { return entry.task == task; });
  }
  std::uint64_t sent_count() const {
    return static_cast<std::uint64_t>(
        std::count_if(line_.begin(), line_.end(), [](const Entry& entry) { return entry.sent; }));
  }
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& entry : line_) sum += entry.bytes;
    return sum;
  }
  std::size_t count() const { return line_.size(); }

 private:
  struct Entry {
    TaskId task;
    std::uint64_t bytes{0};
    bool sent{false};
  };
  std::vector<Entry> line_;
};

}  // namespace

TEST_CASE("the storing table sends and closes what a naive one does") {
  CHECK(rc::check([] {
    StoringTable table;
    NaiveStoring naive;
    for (const auto& command : some_commands(6)) {
      const TaskId task = task_of(command.task);
      if (command.kind <= 1 && !naive.holds(task)) {
        StoringTask storing;
        storing.outcome.id = task;
        storing.outcome.payload.bytes = command.other;
        storing.lease = {1, command.task};
        table.add(std::move(storing));
        naive.add(task, command.other + StoringTable::kTables);
      } else if (command.kind == 2) {
        const auto closed = table.close(task);
        RC_ASSERT(closed.has_value() == naive.close(task));
        if (closed) RC_ASSERT(closed->outcome.id == task);
      } else if (command.kind == 3 && command.other == 0) {
        table.send_again();
        naive.send_again();
      } else if (command.kind >= 4) {
        const auto* outcome = table.send_next(command.other, 0);
        const auto expected = naive.send_next(command.other);
        RC_ASSERT((outcome != nullptr) == expected.has_value());
        if (outcome != nullptr) RC_ASSERT(outcome->id == *expected);
      }
      RC_ASSERT(table.holds(task) == naive.holds(task));
      RC_ASSERT(table.came_from(task, {1, command.task}) == naive.holds(task));
      RC_ASSERT(table.sent_count() == naive.sent_count());
      RC_ASSERT(table.count() == naive.count());
      RC_ASSERT(table.bytes() == naive.bytes());
    }
  }));
}
