#include "broker/core/settled_memory.hpp"

#include "tests/support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <string>

using namespace framefleet;
using namespace framefleet::broker;

namespace {

SettledTask settled(std::uint64_t sequence, Status status = Status::ok) {
  return {{1, 1, sequence, 0}, status, Reason::none, ""};
}

}  // namespace

TEST_CASE("an outcome is remembered as it was told first") {
  SettledMemory memory(2);
  memory.remember(settled(0));
  memory.remember(settled(0, Status::failed));
  REQUIRE(memory.find(settled(0).id) != nullptr);
  CHECK(*memory.find(settled(0).id) == settled(0));
  CHECK(memory.find(settled(1).id) == nullptr);
}

TEST_CASE("the oldest outcomes are forgotten first") {
  SettledMemory memory(2);
  for (std::uint64_t s = 0; s < 3; ++s) memory.remember(settled(s));
  CHECK(memory.find(settled(0).id) == nullptr);
  CHECK(memory.find(settled(1).id) != nullptr);
  CHECK(memory.find(settled(2).id) != nullptr);
}

TEST_CASE("saying it twice does not push another one out") {
  SettledMemory memory(2);
  memory.remember(settled(0));
  memory.remember(settled(1));
  memory.remember(settled(1));
  CHECK(memory.find(settled(0).id) != nullptr);
}

TEST_CASE("it knows the latest of many, of whatever source, and nothing else") {
  constexpr std::size_t kCapacity = 300;
  SettledMemory memory(kCapacity);
  std::deque<TaskId> known;
  std::mt19937_64 chance(7);
  std::map<std::uint64_t, std::uint64_t> sequences;  // of each source the next one
  for (int turn = 0; turn < 20'000; ++turn) {
    // Few sources, neighbours in their hashes too, in bursts and with gaps; some are told again.
    const std::uint64_t source = chance() % 8 == 0 ? chance() % 3 : (chance() % 5) << 61U;
    auto& next = sequences[source];
    next += chance() % 10 == 0 ? 1 + chance() % 100 : 1;
    const bool again = !known.empty() && chance() % 7 == 0;
    const TaskId id = again ? known[chance() % known.size()] : TaskId{source, 1, next, 0};
    memory.remember({id, Status::ok, Reason::none, std::to_string(turn)});
    if (!again) known.push_back(id);
    if (known.size() > kCapacity) {
      CHECK(memory.find(known.front()) == nullptr);
      known.pop_front();
    }
    if (turn % 100 != 0) continue;
    for (const auto& there : known) {
      const auto* found = memory.find(there);
      REQUIRE(found != nullptr);
      REQUIRE(found->id == there);
    }
    CHECK(memory.find({source, 1, next + 1, 0}) == nullptr);
    CHECK(memory.find({source, 2, next, 0}) == nullptr);
  }
}

TEST_CASE("sequences with large steps between them are found as quickly") {
  // Where each step has the same home, this is some 10^10 comparisons instead of 10^6.
  constexpr std::uint64_t kTasks = 100'000;
  for (unsigned bits = 4; bits < 44; bits += 8) {
    SettledMemory memory(kTasks / 2);
    for (std::uint64_t s = 0; s < kTasks; ++s) memory.remember(settled(s << bits));
    CHECK(memory.find(settled(0).id) == nullptr);
    CHECK(memory.find(settled((kTasks - 1) << bits).id) != nullptr);
  }
}

TEST_CASE("a memory without room remembers nothing") {
  SettledMemory memory(0);
  memory.remember(settled(0));
  CHECK(memory.find(settled(0).id) == nullptr);
}
