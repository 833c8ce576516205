#include "tests/support/catch.hpp"

#include <chrono>
#include <vector>

#include "bench/figures/open_loop.hpp"
#include "bench/figures/quantiles.hpp"
#include "bench/figures/task_book.hpp"
#include "bench/figures/verdict.hpp"

namespace framefleet::bench {
namespace {

using namespace std::chrono_literals;

TEST_CASE("the median is one of the values, of two the upper one") {
  CHECK(median({3}) == 3);
  CHECK(median({9, 1, 5}) == 5);
  CHECK(median({2, 1}) == 2);
}

TEST_CASE("a quantile is the nearest rank") {
  std::vector<double> values;
  for (int i = 1; i <= 1000; ++i) values.push_back(i);
  CHECK(quantile(values, 0.5) == 500);
  CHECK(quantile(values, 0.99) == 990);
  CHECK(quantile(values, 0.999) == 999);
  CHECK(quantile(values, 1) == 1000);
  CHECK(quantile(values, 0) == 1);
  CHECK(quantile({7}, 0.999) == 7);
}

TEST_CASE("a task is due at its own time, however late the one before it was sent") {
  const Time begin{5s};
  const OpenLoop loop(begin, 2000);
  CHECK(loop.intended(0) == begin);
  CHECK(loop.intended(1) == begin + 500us);
  CHECK(loop.intended(4000) == begin + 2s);
  CHECK(loop.due(begin - 1ns) == 0);
  CHECK(loop.due(begin) == 1);
  CHECK(loop.due(begin + 499us) == 1);
  CHECK(loop.due(begin + 500us) == 2);
  CHECK(loop.due(begin + 1s) == 2001);
}

TEST_CASE("with a rate that divides no second each task is due exactly once") {
  const Time begin{1s};
  const OpenLoop loop(begin, 2999);
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    CHECK(loop.due(loop.intended(i)) == i + 1);
    CHECK(loop.due(loop.intended(i) - 1ns) == i);
  }
}

TEST_CASE("without a rate everything is to be sent at once") {
  CHECK(OpenLoop(Time{3s}, 0).intended(1'000'000) == Time{3s});
}

TEST_CASE("a book closes where each task came out once") {
  TaskBook book(3);
  CHECK(book.note(2));
  CHECK(book.note(0));
  CHECK_FALSE(book.complete());
  CHECK(book.fault() == "2 of 3 tasks came out, 0 of them again, and 0 that nobody sent");
  CHECK(book.note(1));
  CHECK(book.complete());
  CHECK(book.fault().empty());
}

TEST_CASE("what came twice, or was never sent, is a fault of a book that is complete") {
  TaskBook book(1);
  CHECK(book.note(0));
  CHECK_FALSE(book.note(0));
  CHECK_FALSE(book.note(1));
  CHECK(book.complete());
  CHECK(book.fault() == "1 of 1 tasks came out, 1 of them again, and 1 that nobody sent");
}

TEST_CASE("a target is met, missed or open, and says so") {
  const Target more{"queue", "tasks/s / redis", Bound::at_least, 1.2};
  CHECK(Verdict{more, 1.2}.line() == "met  queue: tasks/s / redis is 1.20, wanted at least 1.20");
  CHECK(Verdict{more, 0.21}.line() == "MISS queue: tasks/s / redis is 0.21, wanted at least 1.20");
  CHECK_FALSE(Verdict{more, {}}.met());
  CHECK(Verdict{more, {}}.line() ==
        "open queue: tasks/s / redis was not measured, wanted at least 1.20");
  const Target less{"latency", "p50 / router", Bound::at_most, 1.3};
  CHECK(Verdict{less, 1.3}.met());
  CHECK_FALSE(Verdict{less, 1.31}.met());
}

}  // namespace
}  // namespace framefleet::bench
