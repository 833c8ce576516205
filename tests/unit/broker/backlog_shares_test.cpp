// How the backlog shares out the fleet's time: among sources, routes and priorities.

#include "broker/core/backlog.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/broker/backlog_fixture.hpp"

#include <algorithm>

using namespace framefleet;
using namespace framefleet::broker;
using namespace framefleet::test;
using namespace std::chrono_literals;

namespace {

/// Of `whole`.
double part(const BacklogFixture::Share& share, Duration whole) {
  return seconds(share.time) / seconds(whole);
}

/// The longest run of one letter.
std::size_t longest_run(const std::string& order) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    run = i > 0 && order[i] == order[i - 1] ? run + 1 : 1;
    longest = std::max(longest, run);
  }
  return longest;
}

}  // namespace

TEST_CASE("sources get time by their weights") {
  BacklogFixture f;
  for (const std::uint32_t weight : {1U, 2U, 3U}) {
    auto& source = f.source(std::string(1, static_cast<char>('a' + weight - 1)), weight);
    for (int i = 0; i < 5; ++i) f.push(source);
  }
  const auto shares = f.serve(600, {{"a", 7ms}, {"b", 7ms}, {"c", 7ms}});
  CHECK(shares.at("a").tasks == Approx(100).margin(2));
  CHECK(shares.at("b").tasks == Approx(200).margin(2));
  CHECK(shares.at("c").tasks == Approx(300).margin(2));
}

TEST_CASE("sources of equal weight get equal time, whatever a task of theirs costs") {
  BacklogFixture f;
  auto& quick = f.source("q");
  auto& slow = f.source("s");
  for (int i = 0; i < 3; ++i) {
    f.push(quick);
    f.push(slow);
  }
  f.serve(200, {{"q", 5ms}, {"s", 50ms}});  // measuring
  const auto shares = f.serve(2200, {{"q", 5ms}, {"s", 50ms}});
  CHECK(seconds(shares.at("q").time) / seconds(shares.at("s").time) == Approx(1).epsilon(0.03));
  CHECK(shares.at("q").tasks == Approx(2000).epsilon(0.03));
}

TEST_CASE("weights and costs together: time goes by weight") {
  BacklogFixture f;
  auto& quick = f.source("q", 1);
  auto& slow = f.source("s", 4);
  for (int i = 0; i < 3; ++i) {
    f.push(quick);
    f.push(slow);
  }
  f.serve(200, {{"q", 2ms}, {"s", 20ms}});
  const auto shares = f.serve(4000, {{"q", 2ms}, {"s", 20ms}});
  CHECK(seconds(shares.at("s").time) / seconds(shares.at("q").time) == Approx(4).epsilon(0.05));
}

TEST_CASE("sources alternate: nobody has its whole share at a stretch") {
  BacklogFixture f;
  auto& a = f.source("a", 10);
  auto& b = f.source("b", 10);
  auto& c = f.source("c", 10);
  for (auto* source : {&a, &b, &c}) {
    for (int i = 0; i < 20; ++i) f.push(*source);
  }
  f.serve(300, {{"a", 10ms}, {"b", 10ms}, {"c", 10ms}});
  CHECK(longest_run(f.order) <= 2);
}

TEST_CASE("four greedy sources get the same, to the task") {
  BacklogFixture f;
  for (const auto* name : {"a", "b", "c", "d"}) {
    auto& source = f.source(name);
    for (int i = 0; i < 10; ++i) f.push(source);
  }
  const auto shares = f.serve(400, {{"a", 10ms}, {"b", 10ms}, {"c", 10ms}, {"d", 10ms}});
  for (const auto& [name, share] : shares) CHECK(share.tasks == Approx(100).margin(1));
}

TEST_CASE("a source that was idle has saved nothing") {
  BacklogFixture f;
  auto& a = f.source("a");
  auto& b = f.source("b");
  auto& first = f.push(b);
  for (int i = 0; i < 5; ++i) f.push(a);
  f.serve(10, {{"a", 10ms}, {"b", 10ms}});
  f.backlog.remove(first);
  f.serve(1000, {{"a", 10ms}});
  for (int i = 0; i < 5; ++i) f.push(b);
  const auto shares = f.serve(20, {{"a", 10ms}, {"b", 10ms}});
  CHECK(shares.at("b").tasks <= 11);
}

TEST_CASE("what a task took beyond its charge is paid later, by a source that ran empty too") {
  BacklogFixture f;
  auto& a = f.source("a");
  auto& b = f.source("b");
  for (int i = 0; i < 5; ++i) f.push(b);
  auto& costly = f.push(a);
  f.serve(1, {{"b", 10ms}});
  REQUIRE(f.backlog.take(kAllRoutes, true, f.routes) == &costly);
  Backlog::settle_up(costly, 1s);  // charged as 10 ms
  f.backlog.push_back(costly);
  const auto shares = f.serve(60, {{"a", 10ms}, {"b", 10ms}});
  CHECK(shares.count("a") == 0);
  const auto later = f.serve(200, {{"a", 10ms}, {"b", 10ms}});
  CHECK(later.at("a").tasks > 50);
}

TEST_CASE("a source with nothing left in progress can be forgotten, with what it owes") {
  BacklogFixture f;
  auto& a = f.source("a");
  auto& b = f.source("b");
  for (int i = 0; i < 5; ++i) f.push(b);
  auto& costly = f.push(a);
  f.serve(1, {{"b", 10ms}});
  REQUIRE(f.backlog.take(kAllRoutes, true, f.routes) == &costly);
  Backlog::settle_up(costly, 1s);
  f.backlog.forget(a);
  CHECK(a.flows.empty());
  f.backlog.push_back(costly);
  const auto shares = f.serve(10, {{"a", 10ms}, {"b", 10ms}});
  CHECK(shares.at("a").tasks == Approx(5).margin(1));
}

TEST_CASE("a new weight counts from now on") {
  BacklogFixture f;
  auto& a = f.source("a");
  auto& b = f.source("b");
  for (int i = 0; i < 5; ++i) {
    f.push(a);
    f.push(b);
  }
  f.serve(100, {{"a", 10ms}, {"b", 10ms}});
  f.backlog.set_weight(b, 3);
  f.serve(8, {{"a", 10ms}, {"b", 10ms}});
  const auto shares = f.serve(400, {{"a", 10ms}, {"b", 10ms}});
  CHECK(shares.at("b").tasks == Approx(300).margin(3));
}

TEST_CASE("the lower priority gets its share under high priority without end") {
  BacklogFixture f(0.1);
  auto& high = f.source("h");
  auto& low = f.source("l");
  for (int i = 0; i < 3; ++i) {
    f.push(high, 9);
    f.push(low, 0);
  }
  const auto equal = f.serve(1000, {{"h", 10ms}, {"l", 10ms}});
  CHECK(part(equal.at("l"), 10s) == Approx(0.1).margin(0.005));
  // In time, not in tasks.
  f.serve(1000, {{"h", 10ms}, {"l", 100ms}});  // until it is known what they take
  const auto unequal = f.serve(10'000, {{"h", 10ms}, {"l", 100ms}});
  const auto whole = unequal.at("h").time + unequal.at("l").time;
  CHECK(part(unequal.at("l"), whole) == Approx(0.1).margin(0.005));
}

TEST_CASE("of three priorities each owes a share to those below it") {
  BacklogFixture f(0.1);
  auto& high = f.source("h");
  auto& middle = f.source("m");
  auto& low = f.source("l");
  for (int i = 0; i < 3; ++i) {
    f.push(high, 9);
    f.push(middle, 5);
    f.push(low, 0);
  }
  const auto shares = f.serve(10'000, {{"h", 10ms}, {"m", 10ms}, {"l", 10ms}});
  CHECK(part(shares.at("h"), 100s) == Approx(0.9).margin(0.005));
  CHECK(part(shares.at("m"), 100s) == Approx(0.09).margin(0.005));
  CHECK(part(shares.at("l"), 100s) == Approx(0.01).margin(0.002));
}

TEST_CASE("a priority that has nothing to do owes nothing to the next one") {
  BacklogFixture f(0.1);
  auto& low = f.source("l");
  for (int i = 0; i < 3; ++i) f.push(low, 0);
  f.serve(1000, {{"l", 10ms}});
  auto& high = f.source("h");
  for (int i = 0; i < 3; ++i) f.push(high, 9);
  const auto shares = f.serve(100, {{"h", 10ms}, {"l", 10ms}});
  CHECK(shares.at("h").tasks == Approx(90).margin(1));
}

TEST_CASE("the routes of a priority share its time by the weights of their sources") {
  BacklogFixture f;
  auto& a = f.source("a");
  auto& b = f.source("b");
  auto& c = f.source("c", 2);
  for (int i = 0; i < 3; ++i) {
    f.push(a, 0, f.faces);
    f.push(b, 0, f.edges);
    f.push(c, 0, f.edges);
  }
  f.serve(100, {{"a", 20ms}, {"b", 10ms}, {"c", 10ms}});
  const auto shares = f.serve(7000, {{"a", 20ms}, {"b", 10ms}, {"c", 10ms}});
  const auto whole = shares.at("a").time + shares.at("b").time + shares.at("c").time;
  CHECK(part(shares.at("a"), whole) == Approx(0.25).margin(0.01));
  CHECK(part(shares.at("b"), whole) == Approx(0.25).margin(0.01));
  CHECK(part(shares.at("c"), whole) == Approx(0.5).margin(0.01));
}

TEST_CASE("a route that was idle has saved nothing") {
  BacklogFixture f;
  auto& a = f.source("a");
  auto& b = f.source("b");
  for (int i = 0; i < 3; ++i) f.push(a, 0, f.faces);
  f.serve(1000, {{"a", 10ms}});
  for (int i = 0; i < 3; ++i) f.push(b, 0, f.edges);
  const auto shares = f.serve(20, {{"a", 10ms}, {"b", 10ms}});
  CHECK(shares.at("b").tasks == Approx(10).margin(1));
}

TEST_CASE("what a route takes is a guess for a source of which nothing is known") {
  BacklogFixture f;
  auto& a = f.source("a");
  f.routes.measured(f.edges, 80ms);
  auto& known_by_route = f.push(a, 0, f.edges);
  auto& unknown = f.push(a, 0, f.faces);
  f.take_some(2);
  CHECK(known_by_route.charged == 80ms);
  CHECK(unknown.charged == 10ms);
  a.service.add(30ms);
  auto& known_by_source = f.push(a, 0, f.edges);
  f.take();
  CHECK(known_by_source.charged == 30ms);
}
