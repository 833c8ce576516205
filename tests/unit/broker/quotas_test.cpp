// Quotas alone, in a time of their own.

#include "broker/core/quotas.hpp"

#include "tests/support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

using namespace framefleet;
using namespace framefleet::broker;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kTasksMax = 100;
constexpr std::uint64_t kBytesMax = 10'000;

/// One identity with the broker's two connections that use its key.
struct Keyed {
  explicit Keyed(QuotaLimits limits) {
    quotas.set_listed({{"door", limits}});
    quota = quotas.find_or_add("door");
  }
  std::optional<Quotas::Wait> wait(std::uint64_t bytes = 10) const {
    return quotas.wait_for(*quota, {bytes, bytes, 0}, now);
  }
  /// Submits until it has to wait; how many got through.
  std::uint64_t submit_all(std::uint64_t bytes = 10) {
    std::uint64_t through = 0;
    for (; through < 10'000 && !wait(bytes); ++through) Quotas::charge(*quota, bytes, now);
    return through;
  }

  Quotas quotas{kTasksMax, kBytesMax};
  Quota* quota{nullptr};
  Time now{5s};
};

}  // namespace

TEST_CASE("a key may send a second's worth at once, and then one after the other") {
  for (const std::uint64_t rate : {1U, 3U, 7U, 200U, 1000U}) {
    Keyed key({.tasks_per_second = static_cast<double>(rate)});
    CHECK(key.submit_all() == rate);
    REQUIRE(key.wait());
    CHECK(key.wait()->reason == Reason::key_task_rate);
    for (int i = 0; i < 20; ++i) {
      const auto retry = key.wait()->retry;
      REQUIRE(retry > 0s);
      CHECK(retry <= std::chrono::ceil<Duration>(1s) / static_cast<int>(rate));
      key.now += retry - 1ns;
      CHECK(key.wait().has_value());
      key.now += 1ns;  // what it was told, to the nanosecond
      CHECK(key.submit_all() == 1);
    }
  }
}

TEST_CASE("less than one task a second is a task every now and then") {
  Keyed key({.tasks_per_second = 0.25});
  CHECK(key.submit_all() == 1);
  CHECK(key.wait()->retry == 4s);
  key.now += 4s;
  CHECK(key.submit_all() == 1);
  CHECK(key.wait()->retry == 4s);
}

TEST_CASE("while the clock stands still nothing is earned") {
  Keyed key({.tasks_per_second = 5, .bytes_per_second = 100});
  CHECK(key.submit_all() == 5);
  for (int i = 0; i < 100; ++i) CHECK(key.submit_all() == 0);
  key.now += 10h;  // and later no more than a second's worth is kept
  CHECK(key.submit_all() == 5);
}

TEST_CASE("over a long time a key gets its rate, whenever it asks") {
  Keyed key({.tasks_per_second = 50});
  std::uint64_t through = key.submit_all();
  for (int i = 0; i < 1000; ++i) {
    key.now += std::chrono::milliseconds{3 + i % 40};
    through += key.submit_all();
  }
  const auto passed = seconds(key.now.time_since_epoch()) - 5;
  CHECK(through <= static_cast<std::uint64_t>(50 * (passed + 1)));
  CHECK(through + 1 >= static_cast<std::uint64_t>(50 * (passed + 1)));
}

TEST_CASE("what is larger than a second's worth of bytes is let in when nothing is owed") {
  Keyed key({.bytes_per_second = 1000});
  CHECK_FALSE(key.wait(4000));
  Quotas::charge(*key.quota, 4000, key.now);
  REQUIRE(key.wait(4000));
  CHECK(key.wait(4000)->reason == Reason::key_byte_rate);
  CHECK(key.wait(4000)->retry == 4s);
  CHECK(key.wait(1)->retry == 3001ms);  // a second's worth may be owed
  key.now += 3001ms;
  CHECK_FALSE(key.wait(1));
  CHECK(key.wait(2)->retry == 1ms);
  key.now += 999ms;
  CHECK_FALSE(key.wait(4000));
}

TEST_CASE("the longer of two waits is told") {
  Keyed key({.tasks_per_second = 1, .bytes_per_second = 10});
  Quotas::charge(*key.quota, 10, key.now);
  CHECK(key.wait(1)->reason == Reason::key_task_rate);
  CHECK(key.wait(1)->retry == 1s);
  Quotas::charge(*key.quota, 100, key.now);
  CHECK(key.wait(1)->reason == Reason::key_byte_rate);
  CHECK(key.wait(1)->retry == 10'100ms);
}

TEST_CASE("numbers from outside overflow nothing") {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  Keyed key({.tasks_per_second = 1e300, .bytes_per_second = 1});
  CHECK_FALSE(key.wait(kMost));
  Quotas::charge(*key.quota, kMost, key.now);
  CHECK(key.wait(kMost)->retry == 24h);
}

TEST_CASE("a rate that is changed begins anew, another one goes on") {
  Keyed key({.tasks_per_second = 1, .bytes_per_second = 10});
  Quotas::charge(*key.quota, 100'000, key.now);
  CHECK(key.wait()->retry > 1h);
  key.quotas.set_listed({{"door", {.tasks_per_second = 1, .bytes_per_second = 1000}}});
  CHECK(key.wait()->reason == Reason::key_task_rate);
  CHECK(key.wait()->retry == 1s);
  key.quotas.set_listed({{"door", {.bytes_per_second = 1000}}});
  CHECK_FALSE(key.wait());
}

TEST_CASE("tasks count until they are settled, whoever sent them") {
  Keyed key({.unsettled_max = 2});
  QuotaPart first;
  QuotaPart second;
  first.take(key.quota, 100);
  CHECK_FALSE(key.wait());
  second.take(key.quota, 100);
  REQUIRE(key.wait());
  CHECK(key.wait()->reason == Reason::key_unsettled);
  first.free_bytes();  // it is storing
  CHECK(key.wait()->reason == Reason::key_unsettled);
  CHECK(key.quota->held_bytes == 100);
  first.free();
  CHECK_FALSE(key.wait());
  second.free();
  CHECK(key.quota->unsettled == 0);
  CHECK(key.quota->held_bytes == 0);
}

TEST_CASE("a key has its share of the bytes to the last one, and of the tasks") {
  Keyed key({.backlog_share = 0.5});
  QuotaPart part;
  part.take(key.quota, 4000);
  CHECK_FALSE(key.wait(1000));
  REQUIRE(key.wait(1001));
  CHECK(key.wait(1001)->reason == Reason::key_share);
  CHECK_FALSE(key.quotas.wait_for(*key.quota, {0, 1001, 1}, key.now));  // another frame's place
  part.free();
  CHECK_FALSE(key.wait(kBytesMax * 2));  // it holds nothing
  std::vector<QuotaPart> parts(49);
  for (auto& each : parts) each.take(key.quota, 1);
  CHECK_FALSE(key.wait(1));
  part.take(key.quota, 1);
  CHECK(key.wait(1)->reason == Reason::key_share);
}

TEST_CASE("who has no identity has no quota, and an identity that is gone keeps what it holds") {
  Quotas quotas(kTasksMax, kBytesMax);
  CHECK(quotas.find_or_add("") == nullptr);
  QuotaPart nobodys;
  nobodys.take(nullptr, 100);
  nobodys.free();
  quotas.set_listed({{"a", {.backlog_share = 0.5}}});
  auto* const quota = quotas.find_or_add("a");
  QuotaPart part;
  part.take(quota, 100);
  quotas.set_listed({});
  CHECK_FALSE(quota->listed);
  CHECK(quota->unsettled == 1);
  quotas.set_listed({{"a", {}}});
  CHECK(quotas.find_or_add("a") == quota);
  CHECK(quota->listed);
  part.free();
  CHECK(quota->unsettled == 0);
}
