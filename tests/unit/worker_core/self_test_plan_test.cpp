// When self-tests run and what they mean, in virtual time.

#include "worker/core/self_test_plan.hpp"

#include "tests/support/catch.hpp"

#include <chrono>
#include <vector>

using namespace framefleet;
using namespace framefleet::worker;
using namespace std::chrono_literals;

namespace {

struct Plan {
  explicit Plan(Duration interval = 10min) : plan({"faces", "edges", "stub"}, interval) {}

  /// All that may begin now.
  std::vector<std::size_t> begin() {
    std::vector<std::size_t> begun;
    while (plan.is_due(now)) begun.push_back(plan.begin(now));
    return begun;
  }
  void pass_all() {
    for (const auto test : begin()) plan.passed(test, now);
  }

  SelfTestPlan plan;
  Time now{100s};
};

using Tests = std::vector<std::size_t>;

}  // namespace

TEST_CASE("at first all tests may run at once, and the worker is ready when all have passed") {
  Plan p;
  CHECK(p.plan.next_deadline() <= p.now);
  CHECK(p.begin() == Tests{0, 1, 2});
  CHECK(p.plan.next_deadline() == kNever);
  p.plan.passed(1, p.now);
  p.plan.passed(0, p.now);
  CHECK(p.plan.not_ready() == "the self-test is under way");
  p.plan.passed(2, p.now);
  CHECK(p.plan.not_ready() == "");
}

TEST_CASE("later they run one at a time, each after the interval") {
  Plan p;
  p.pass_all();
  CHECK(p.plan.next_deadline() == p.now + 10min);
  p.now += 10min - 1ns;
  CHECK_FALSE(p.plan.is_due(p.now));
  p.now += 1ns;
  CHECK(p.begin() == Tests{0});
  CHECK(p.plan.next_deadline() == kNever);
  p.now += 1s;
  p.plan.passed(0, p.now);
  CHECK(p.begin() == Tests{1});
  p.plan.passed(1, p.now);
  CHECK(p.begin() == Tests{2});
  p.plan.passed(2, p.now);
  CHECK(p.plan.next_deadline() == p.now + 10min);
  CHECK(p.plan.not_ready() == "");
}

TEST_CASE("a test that fails makes the worker not ready until it passes") {
  Plan p;
  p.pass_all();
  p.now += 10min;
  REQUIRE(p.begin() == Tests{0});
  p.plan.failed(0, "nothing", p.now);
  CHECK(p.plan.not_ready() == "self-test of faces: nothing");
  CHECK(p.plan.is_failing(0));
  REQUIRE(p.begin() == Tests{1});  // the others go on
  p.plan.failed(1, "too much", p.now);
  CHECK(p.plan.not_ready() == "self-test of faces: nothing (and 1 more failed)");
  REQUIRE(p.begin() == Tests{2});
  p.plan.passed(2, p.now);
  p.now += 10s;
  REQUIRE(p.begin() == Tests{0});
  CHECK(p.plan.not_ready() != "");  // not until it has passed
  p.plan.passed(0, p.now);
  CHECK(p.plan.not_ready() == "self-test of edges: too much");
  REQUIRE(p.begin() == Tests{1});
  p.plan.passed(1, p.now);
  CHECK(p.plan.not_ready() == "");
}

TEST_CASE("what fails is tried again after pauses that double up to the interval") {
  const auto interval = GENERATE(Duration{10min}, Duration{0s});
  Plan p(interval);
  p.begin();
  p.plan.passed(0, p.now);
  p.plan.passed(1, p.now);
  for (const auto pause : {10s, 20s, 40s, 80s, 160s, 320s, 600s, 600s}) {
    p.plan.failed(2, "nothing", p.now);
    const Time again = p.now + pause;
    while (p.now < again) {
      const Time next = p.plan.next_deadline();
      REQUIRE(next <= again);
      p.now = next;
      if (next < again || !(p.begin() == Tests{2})) p.pass_all();
    }
  }
  p.plan.passed(2, p.now);
  CHECK(p.plan.not_ready() == "");
  CHECK_FALSE(p.plan.is_failing(2));
}

TEST_CASE("a test without an answer is tried again at once, and the second time it has failed") {
  Plan p;
  p.pass_all();
  p.now += 10min;
  REQUIRE(p.begin() == Tests{0});
  p.plan.unanswered(0, "signal 6", p.now);
  CHECK(p.plan.not_ready() == "");
  for (int test = 0; test < 3; ++test) p.pass_all();  // one at a time
  CHECK(p.plan.next_deadline() == p.now + 10min);
  p.now += 10min;
  REQUIRE(p.begin() == Tests{0});
  p.plan.unanswered(0, "signal 6", p.now);  // the first time again
  CHECK_FALSE(p.plan.is_failing(0));
  REQUIRE(p.plan.is_due(p.now));
  p.begin();
  p.plan.unanswered(0, "signal 11", p.now);
  CHECK(p.plan.is_failing(0));
  CHECK(p.plan.not_ready() == "self-test of faces: no answer, twice in a row: signal 11");
}

TEST_CASE("a worker whose first self-test ends without an answer is not ready until it has one") {
  Plan p;
  REQUIRE(p.begin() == Tests{0, 1, 2});
  p.plan.unanswered(0, "signal 6", p.now);
  p.plan.passed(1, p.now);
  p.plan.passed(2, p.now);
  CHECK(p.plan.not_ready() == "the self-test is under way");
  REQUIRE(p.begin() == Tests{0});
  p.plan.passed(0, p.now);
  CHECK(p.plan.not_ready() == "");
}

TEST_CASE("with no interval a test that has passed does not run again") {
  Plan p(0s);
  p.pass_all();
  CHECK(p.plan.next_deadline() == kNever);
  CHECK_FALSE(p.plan.is_due(p.now + 1000h));
}
