#include "broker/core/ledger.hpp"
#include "tests/support/catch.hpp"

#include "shared/wire/journal_codec.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

using namespace framefleet;
using namespace framefleet::broker;

TEST_CASE("whatever number producers give a picture, the book of its source can be written") {
  constexpr auto kLast = std::numeric_limits<std::uint64_t>::max();
  Ledger ledger(1000);
  ledger.keep_changes();
  const auto written = [&ledger] {
    const auto changed = ledger.take_changed();
    REQUIRE(changed.sources.size() == 1);
    const auto record = wire::encode_journaled(changed.sources.front());
    REQUIRE(record);
    const auto read = wire::decode_source_book(std::as_bytes(std::span(*record)));
    REQUIRE(read);
    CHECK(*read == changed.sources.front());
    return read->counted_through;
  };
  auto& source = ledger.open_source(1, "cam");
  ledger.claimed(source, PeerId{7}, {.epoch = 1});
  Task task;
  task.source = &source;
  task.id = {.source = source.hash, .epoch = 1, .sequence = kLast};
  SECTION("admitted") {
    task.task_class = TaskClass::live;
    ledger.admitted(task, Time{});
    CHECK(written() == kLast);
  }
  SECTION("found in the store") {
    ledger.stored_before({.source = source.hash, .epoch = 1, .sequence = kLast - 1});
    CHECK(written() == kLast);
    ledger.stored_before(task.id);
    CHECK(source.counted_through == kLast);
  }
}
