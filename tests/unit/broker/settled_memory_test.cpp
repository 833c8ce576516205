#include "broker/core/settled_memory.hpp"

#include "tests/support/catch.hpp"

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

TEST_CASE("a memory without room remembers nothing") {
  SettledMemory memory(0);
  memory.remember(settled(0));
  CHECK(memory.find(settled(0).id) == nullptr);
}
