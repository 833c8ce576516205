#include "broker/core/task.hpp"

#include "tests/support/catch.hpp"

#include <chrono>
#include <limits>

using namespace framefleet;
using namespace framefleet::broker;
using namespace std::chrono_literals;

TEST_CASE("a wall clock that was set back takes nothing off a time to live") {
  CHECK(unattended(2'000, 1'000) == Duration::zero());
  CHECK(unattended(std::numeric_limits<std::uint64_t>::max(), 1) == Duration::zero());
  CHECK(unattended(1'000, 1'000) == Duration::zero());
}

TEST_CASE("a wall clock that was set ahead says half a year at most, and overflows nothing") {
  CHECK(unattended(1'000, 3'500) == 2500ms);
  CHECK(unattended(0, 1'700'000'000'000) == kUnattendedMax);
  CHECK(unattended(0, std::numeric_limits<std::uint64_t>::max()) == kUnattendedMax);
  CHECK(unattended(0, 180ULL * 24 * 3600 * 1000 - 1) == kUnattendedMax - 1ms);
}

TEST_CASE("digest and description are kept together, either may be empty") {
  const TaskTexts both("0123456789abcdef", "what is to be done");
  CHECK(both.digest() == "0123456789abcdef");
  CHECK(both.description() == "what is to be done");
  CHECK(both.bytes() == 34);
  const TaskTexts none;
  CHECK(none.digest().empty());
  CHECK(none.description().empty());
  CHECK(TaskTexts("", "one").description() == "one");
  CHECK(TaskTexts("one", "").digest() == "one");
  CHECK(TaskTexts("", "").bytes() == 0);
}

TEST_CASE("a task takes no more memory than a fleet with a million of them can spare") {
  CHECK(sizeof(Task) <= 216);  // one piece of malloc's of 224, the texts and rare things beside it
}
