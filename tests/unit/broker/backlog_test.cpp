// Who comes out of the backlog and who does not; how time is shared stands in
// backlog_shares_test.cpp.

#include "broker/core/backlog.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/broker/backlog_fixture.hpp"

using namespace framefleet;
using namespace framefleet::broker;
using namespace framefleet::test;
using namespace std::chrono_literals;

TEST_CASE("an empty backlog gives nothing and waits for nothing") {
  BacklogFixture f;
  CHECK(f.take().empty());
  CHECK(f.backlog.ready_routes() == 0);
  CHECK(f.backlog.ready_live_routes() == 0);
  CHECK(f.waiting(f.faces).empty());
  CHECK(f.backlog.oldest() == kNever);
}

TEST_CASE("inside a source it is first in, first out, and what comes back goes first") {
  BacklogFixture f;
  auto& a = f.source("a");
  f.push(a);
  f.push(a);
  f.backlog.push_front(f.task(a));
  CHECK(f.take_some(4) == "a2 a0 a1 ");
}

TEST_CASE("a task comes out only for who serves its route") {
  BacklogFixture f;
  auto& a = f.source("a");
  f.push(a, 0, f.faces);
  CHECK(f.backlog.ready_routes() == mask_of(f.faces));
  CHECK(f.take(mask_of(f.edges)).empty());
  CHECK(f.take(mask_of(f.faces)) == "a0");
  CHECK(f.backlog.ready_routes() == 0);
}

TEST_CASE("who must not have live tasks gets batch tasks alone") {
  BacklogFixture f;
  auto& a = f.source("a");
  f.push(a, 0, f.faces, TaskClass::live);
  f.push(a, 0, f.edges);
  CHECK(f.backlog.ready_live_routes() == mask_of(f.faces));
  CHECK(f.take(kAllRoutes, false) == "a1");
  CHECK(f.take(kAllRoutes, false).empty());
  CHECK(f.take(kAllRoutes, true) == "a0");
  CHECK(f.backlog.ready_live_routes() == 0);
}

TEST_CASE("a higher priority goes first, and inside a priority live goes before batch") {
  BacklogFixture f(0);  // nothing is owed to lower ones
  auto& a = f.source("a");
  f.push(a, 0);
  f.push(a, 9);
  f.push(a, 5);
  f.push(a, 5, f.faces, TaskClass::live);
  f.push(a, 9);
  CHECK(f.take_some(5) == "a1 a4 a3 a2 a0");
}

TEST_CASE("a newcomer does not wait behind what others have in line") {
  BacklogFixture f;
  auto& a = f.source("a");
  auto& b = f.source("b");
  for (int i = 0; i < 4; ++i) f.push(a);
  CHECK(f.take() == "a0");
  f.push(b);
  CHECK(f.take_some(4) == "b0 a1 a2 a3");
}

TEST_CASE("what is removed never comes out, and the rest keeps its order") {
  BacklogFixture f;
  auto& a = f.source("a");
  auto& b = f.source("b");
  f.push(a);
  auto& middle = f.push(a);
  f.push(a);
  auto& only = f.push(b, 0, f.edges);
  f.backlog.remove(middle);
  f.backlog.remove(only);
  CHECK(middle.flow == nullptr);
  CHECK(f.backlog.ready_routes() == mask_of(f.faces));
  CHECK(f.take_some(3) == "a0 a2 ");
}

TEST_CASE("a task that takes another one's place takes its turn") {
  BacklogFixture f;
  auto& a = f.source("a");
  auto& b = f.source("b");
  auto& old = f.push(a, 0, f.faces, TaskClass::live);
  f.push(b, 0, f.faces, TaskClass::live);
  f.backlog.replace(old, f.task(a, 0, f.faces, TaskClass::live));
  CHECK(old.flow == nullptr);
  CHECK(f.take_some(3) == "a1 b0 ");
}

TEST_CASE("a replacement that is more urgent or goes another way stands where it belongs") {
  BacklogFixture f;
  auto& a = f.source("a");
  auto& old = f.push(a, 0, f.faces, TaskClass::live);
  auto& urgent = f.task(a, 9, f.faces, TaskClass::live);
  f.backlog.replace(old, urgent);
  auto& elsewhere = f.task(a, 9, f.edges, TaskClass::live);
  f.backlog.replace(urgent, elsewhere);
  CHECK(f.backlog.ready_routes() == mask_of(f.edges));
  CHECK(f.take_some(2) == "a2 ");
}

TEST_CASE("a paused source is passed over, keeps what it has and takes in more") {
  BacklogFixture f;
  auto& a = f.source("a");
  auto& b = f.source("b");
  f.push(a, 0, f.edges);
  f.push(b);
  f.backlog.pause(a);
  f.backlog.pause(a);
  CHECK(f.backlog.ready_routes() == mask_of(f.faces));
  CHECK(f.waiting(f.edges).empty());
  f.push(a, 0, f.edges);
  f.backlog.push_front(f.task(a, 0, f.edges));
  CHECK(f.take_some(2) == "b0 ");
  f.backlog.resume(a);
  f.backlog.resume(a);
  CHECK(f.take_some(4) == "a2 a0 a1 ");
}

TEST_CASE("a task of a paused source can be removed") {
  BacklogFixture f;
  auto& a = f.source("a");
  auto& only = f.push(a);
  f.backlog.pause(a);
  f.backlog.remove(only);
  f.backlog.resume(a);
  CHECK(f.take().empty());
}

TEST_CASE("looking at a route's tasks takes none") {
  BacklogFixture f;
  auto& a = f.source("a");
  auto& first = f.push(a, 3, f.edges);
  f.push(a, 3, f.edges);
  CHECK(f.waiting(f.edges).front() == &first);
  CHECK(f.waiting(f.faces).empty());
  CHECK(f.take() == "a0");
}

TEST_CASE("the oldest is the one that was admitted first, of whatever source") {
  BacklogFixture f;
  auto& a = f.source("a");
  auto& b = f.source("b");
  f.push(a, 9).admitted_at = Time{7s};
  f.push(b, 0, f.edges).admitted_at = Time{5s};
  CHECK(f.backlog.oldest() == Time{5s});
  CHECK(f.take(mask_of(f.edges)) == "b0");
  CHECK(f.backlog.oldest() == Time{7s});
}
