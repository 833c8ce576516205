#include "broker/core/route_table.hpp"

#include "tests/support/catch.hpp"

using namespace framefleet;
using namespace framefleet::broker;
using namespace std::chrono_literals;

namespace {

Route numbered(std::size_t number) { return {"detector-" + std::to_string(number)}; }

}  // namespace

TEST_CASE("the same detectors are the same route") {
  RouteTable routes;
  const auto faces = routes.open({"faces"});
  const auto both = routes.open({"edges", "faces"});
  REQUIRE(faces);
  REQUIRE(both);
  CHECK(*faces != *both);
  CHECK(routes.open({"faces"}) == faces);
  CHECK(routes.at(*both) == Route{"edges", "faces"});
  CHECK(routes.open_routes() == (mask_of(*faces) | mask_of(*both)));
  CHECK(routes.opened() == 2);
}

TEST_CASE("there are 64 routes at a time, and the next one is refused") {
  RouteTable routes;
  for (std::size_t i = 0; i < kRoutesMax; ++i) {
    const auto route = routes.open(numbered(i));
    REQUIRE(route);
    routes.enter(*route);
  }
  CHECK_FALSE(routes.open(numbered(kRoutesMax)));
  CHECK(routes.open(numbered(7)));  // known
  CHECK(routes.opened() == kRoutesMax);
}

TEST_CASE("a number is free when its last task has left, and knows nothing of who had it before") {
  RouteTable routes;
  for (std::size_t i = 0; i < kRoutesMax; ++i) routes.enter(*routes.open(numbered(i)));
  const auto old = *routes.open(numbered(20));
  routes.enter(old);
  routes.measured(old, 5s);
  routes.note_served(0, Time{1s});
  const auto opening = routes.opening_of(old);
  routes.leave(old);
  CHECK_FALSE(routes.open(numbered(99)));
  routes.leave(old);
  const auto fresh = routes.open(numbered(99));
  REQUIRE(fresh == old);
  CHECK(routes.opening_of(*fresh) > opening);
  CHECK_FALSE(routes.service(*fresh).measured());
  CHECK(routes.unserved_since(*fresh) == kNever);
  CHECK(routes.at(*fresh) == numbered(99));
}

TEST_CASE("a route is unserved from the moment nobody serves it until somebody does") {
  RouteTable routes;
  const auto faces = *routes.open({"faces"});
  const auto edges = *routes.open({"edges"});
  routes.note_served(mask_of(edges), Time{1s});
  routes.note_served(mask_of(edges), Time{2s});
  CHECK(routes.unserved_since(faces) == Time{1s});
  CHECK(routes.unserved_since(edges) == kNever);
  routes.note_served(mask_of(faces), Time{3s});
  CHECK(routes.unserved_since(faces) == kNever);
  CHECK(routes.unserved_since(edges) == Time{3s});
}
