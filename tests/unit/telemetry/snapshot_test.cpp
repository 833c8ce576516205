#include "shared/telemetry/snapshot.hpp"

#include "tests/support/catch.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

using framefleet::telemetry::Snapshot;

TEST_CASE("a snapshot is the value last published") {
  Snapshot<int> snapshot;
  CHECK(snapshot.copy() == 0);
  snapshot.publish(5);
  snapshot.publish(7);
  CHECK(snapshot.copy() == 7);
  CHECK(Snapshot<int>{3}.copy() == 3);
}

TEST_CASE("a reader never sees half of a value, nor an older one after a newer one") {
  using Value = std::array<std::uint64_t, 64>;
  constexpr std::uint64_t kLast = 20'000;
  Snapshot<Value> snapshot;
  std::atomic<bool> whole{true};
  std::atomic<bool> ordered{true};
  {
    std::jthread reader{[&] {
      std::uint64_t newest = 0;
      while (newest < kLast) {
        const Value value = snapshot.copy();
        for (const auto n : value) whole = whole && n == value[0];
        ordered = ordered && value[0] >= newest;
        newest = value[0];
      }
    }};
    Value value{};
    for (std::uint64_t i = 1; i <= kLast; ++i) {
      value.fill(i);
      snapshot.publish(value);
    }
  }
  CHECK(whole);
  CHECK(ordered);
}
