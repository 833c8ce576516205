#include "broker/core/backlog.hpp"

#include "tests/support/catch.hpp"

using namespace framefleet;
using namespace framefleet::broker;
using namespace std::chrono_literals;

namespace {

TaskId task(std::uint64_t source, std::uint64_t sequence) { return {source, 1, sequence, 0}; }
const Route kFaces{"faces"};
const Route kEdges{"edges"};
bool anything(const Route&) { return true; }

}  // namespace

TEST_CASE("an empty backlog gives nothing and waits for nothing") {
  Backlog backlog;
  CHECK_FALSE(backlog.pop_ready(anything));
  CHECK_FALSE(backlog.pop_due(Time{1h}));
  CHECK(backlog.next_due() == kNever);
  CHECK(backlog.ready_count() == 0);
  CHECK(backlog.delayed_count() == 0);
}

TEST_CASE("inside a source it is first in, first out, and what comes back goes first") {
  Backlog backlog;
  backlog.push_back(task(1, 0), kFaces);
  backlog.push_back(task(1, 1), kFaces);
  backlog.push_front(task(1, 9), kFaces);
  CHECK(backlog.ready_count() == 3);
  CHECK(backlog.pop_ready(anything) == task(1, 9));
  CHECK(backlog.pop_ready(anything) == task(1, 0));
  CHECK(backlog.pop_ready(anything) == task(1, 1));
  CHECK_FALSE(backlog.pop_ready(anything));
}

TEST_CASE("the sources of a route take turns") {
  Backlog backlog;
  for (std::uint64_t s = 0; s < 3; ++s) backlog.push_back(task(1, s), kFaces);
  backlog.push_back(task(2, 0), kFaces);
  CHECK(backlog.pop_ready(anything) == task(1, 0));
  CHECK(backlog.pop_ready(anything) == task(2, 0));
  CHECK(backlog.pop_ready(anything) == task(1, 1));
  CHECK(backlog.pop_ready(anything) == task(1, 2));
}

TEST_CASE("a task comes out only for who serves its route") {
  Backlog backlog;
  backlog.push_back(task(1, 0), kFaces);
  CHECK_FALSE(backlog.pop_ready([](const Route& route) { return route == kEdges; }));
  CHECK(backlog.ready_count() == 1);
  CHECK(backlog.pop_ready([](const Route& route) { return route == kFaces; }) == task(1, 0));
}

TEST_CASE("routes take turns too, and a route that is new waits for its turn") {
  Backlog backlog;
  for (std::uint64_t s = 0; s < 3; ++s) backlog.push_back(task(1, s), kEdges);
  backlog.push_back(task(2, 0), kFaces);
  backlog.push_back(task(2, 1), kFaces);
  CHECK(backlog.pop_ready(anything) == task(1, 0));
  CHECK(backlog.pop_ready(anything) == task(2, 0));
  CHECK(backlog.pop_ready(anything) == task(1, 1));
  CHECK(backlog.pop_ready(anything) == task(2, 1));
  CHECK(backlog.pop_ready(anything) == task(1, 2));
}

TEST_CASE("a delayed task is due at its time, the earliest first") {
  Backlog backlog;
  backlog.push_delayed(task(1, 0), Time{3s});
  backlog.push_delayed(task(1, 1), Time{2s});
  CHECK(backlog.next_due() == Time{2s});
  CHECK_FALSE(backlog.pop_due(Time{2s} - 1ns));
  CHECK(backlog.pop_due(Time{5s}) == task(1, 1));
  CHECK(backlog.next_due() == Time{3s});
  CHECK(backlog.delayed_count() == 1);
  CHECK(backlog.pop_due(Time{5s}) == task(1, 0));
  CHECK_FALSE(backlog.pop_due(Time{5s}));
}
