// Superseded and lost frames of live sources: ranges instead of rows, in whatever order they come.

#include "tests/unit/sink/store_fixture.hpp"

#include <algorithm>

namespace framefleet::test {
namespace {

sink::OutcomeToStore superseded(std::uint64_t sequence) {
  sink::OutcomeToStore given;
  given.outcome.id = task_number(sequence);
  given.outcome.source = "camera";
  given.outcome.task_class = TaskClass::live;
  given.outcome.status = Status::superseded;
  given.outcome.reason = Reason::newer_frame;
  return given;
}

sink::OutcomeToStore lost(std::uint64_t sequence) {
  auto given = superseded(sequence);
  given.outcome.status = Status::lost;
  given.outcome.reason = Reason::broker_restarted;
  return given;
}

struct GapStore {
  TemporaryFolder folder;
  std::int64_t now_ms{kNoon};
  std::unique_ptr<sink::SqliteStore> store;

  GapStore() {
    auto options = store_options(folder.path());
    options.now_ms = [this] { return now_ms; };
    store = open_store(std::move(options));
  }
  std::string gaps() const {
    return text(folder.path(), "SELECT coalesce(group_concat(first || '-' || last), '') FROM gaps");
  }
  /// The numbers below `end` that the store knows.
  std::vector<std::uint64_t> known(std::uint64_t end) const {
    std::vector<TaskId> asked;
    for (std::uint64_t s = 0; s < end; ++s) asked.push_back(task_number(s));
    const auto found = store->find(asked);
    REQUIRE(found);
    std::vector<std::uint64_t> numbers;
    for (const auto& task : *found) numbers.push_back(task.id.sequence);
    return numbers;
  }
};

using Numbers = std::vector<std::uint64_t>;

TEST_CASE("superseded frames of a live source become ranges, and their ids stay known") {
  GapStore f;
  commit(*f.store, {superseded(5), superseded(6), superseded(6), superseded(7)});
  commit(*f.store, {superseded(8), superseded(10), superseded(5)});
  CHECK(f.gaps() == "5-8,10-10");
  CHECK(text(f.folder.path(), "SELECT source || epoch || reason || at FROM gaps") ==
        "camera1newer_frame2024-05-01T12:00:00.000Z");
  CHECK(number(f.folder.path(), "SELECT count(*) FROM outcomes") == 0);
  CHECK(f.known(12) == Numbers{5, 6, 7, 8, 10});
  const std::vector<TaskId> one{task_number(7)};
  CHECK(f.store->find(one)->at(0) ==
        SettledTask{task_number(7), Status::superseded, Reason::newer_frame, ""});
  CHECK(f.store->stats().stored == 5);
  CHECK(f.store->stats().duplicates == 2);
}

TEST_CASE("numbers that come out of order and twice end as the same ranges") {
  GapStore f;
  SECTION("in between") {
    commit(*f.store, {superseded(5), superseded(7)});
    CHECK(f.gaps() == "5-5,7-7");
    commit(*f.store, {superseded(6), superseded(6)});
    commit(*f.store, {superseded(6)});
  }
  SECTION("backwards") { commit(*f.store, {superseded(7), superseded(6), superseded(5)}); }
  SECTION("in one batch") { commit(*f.store, {superseded(5), superseded(7), superseded(6)}); }
  CHECK(f.gaps() == "5-7");
  CHECK(f.known(10) == Numbers{5, 6, 7});
}

TEST_CASE("a number between two long runs makes them one, stored now") {
  GapStore f;
  for (std::uint64_t s = 0; s < 20; ++s) {
    if (s != 9) commit(*f.store, {superseded(s)});
  }
  CHECK(f.gaps() == "0-8,10-19");
  f.now_ms += 1000;
  commit(*f.store, {superseded(9)});
  CHECK(f.gaps() == "0-19");
  CHECK(text(f.folder.path(), "SELECT at FROM gaps") == "2024-05-01T12:00:01.000Z");
  CHECK(f.known(25).size() == 20);
}

TEST_CASE("every order of arrival gives one range") {
  std::vector<std::uint64_t> order{0, 1, 2, 3, 4, 5};
  GapStore f;
  std::uint64_t base = 0;
  do {
    for (const auto offset : order) commit(*f.store, {superseded(base + offset)});
    base += 10;
  } while (std::next_permutation(order.begin(), order.end()) && base < 1000);
  CHECK(number(f.folder.path(), "SELECT count(*) FROM gaps WHERE last = first + 5") ==
        static_cast<std::int64_t>(base / 10));
  CHECK(number(f.folder.path(), "SELECT count(*) FROM gaps") ==
        static_cast<std::int64_t>(base / 10));
}

TEST_CASE("runs that differ in status or job stay apart") {
  GapStore f;
  auto other = superseded(9);
  other.outcome.job = "another";
  commit(*f.store, {superseded(5), lost(7), superseded(6), lost(8), other, superseded(10)});
  CHECK(f.gaps() == "5-6,7-8,9-9,10-10");
  const std::vector<TaskId> one{task_number(7)};
  CHECK(f.store->find(one)->at(0).status == Status::lost);
}

TEST_CASE("of an outcome and a gap under one id the first one wins") {
  GapStore f;
  SECTION("the gap was first") {
    commit(*f.store, {superseded(5), superseded(6), superseded(7)});
    const auto stored = commit(*f.store, {ok_outcome(6)});
    CHECK(stored.at(0).status == Status::superseded);
    CHECK(number(f.folder.path(), "SELECT count(*) FROM outcomes") == 0);
    CHECK(f.gaps() == "5-7");
  }
  SECTION("the outcome was first") {
    commit(*f.store, {ok_outcome(6)});
    const auto stored = commit(*f.store, {superseded(5), superseded(6), superseded(7)});
    CHECK(stored.at(1).status == Status::ok);
    CHECK(f.gaps() == "5-5,7-7");
  }
  SECTION("within one batch") {
    const auto stored =
        commit(*f.store, {ok_outcome(6), superseded(6), superseded(7), ok_outcome(7)});
    CHECK(stored.at(1).status == Status::ok);
    CHECK(stored.at(3).status == Status::superseded);
    CHECK(f.gaps() == "7-7");
  }
}

TEST_CASE("sources and epochs have ranges of their own, and no number is too large") {
  GapStore f;
  auto next_epoch = superseded(6);
  next_epoch.outcome.id.epoch = 2;
  auto next_source = superseded(6);
  next_source.outcome.id.source += 1;
  constexpr auto kLargest = std::numeric_limits<std::uint64_t>::max();
  constexpr auto kSigned = std::uint64_t{1} << 63U;
  commit(*f.store, {superseded(5), next_epoch, next_source, superseded(kSigned - 2),
                    superseded(kSigned - 1), superseded(kSigned), superseded(kLargest)});
  CHECK(number(f.folder.path(), "SELECT count(*) FROM gaps") == 4);
  CHECK(number(f.folder.path(), "SELECT count(*) FROM outcomes") == 3);
  const std::vector<TaskId> asked{task_number(kSigned - 2), task_number(kSigned - 1),
                                  task_number(kSigned), task_number(kLargest),
                                  task_number(kLargest - 1)};
  CHECK(f.store->find(asked)->size() == 4);
}

}  // namespace
}  // namespace framefleet::test
