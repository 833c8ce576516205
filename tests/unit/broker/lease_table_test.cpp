#include "broker/core/lease_table.hpp"

#include "tests/support/catch.hpp"

using namespace framefleet;
using namespace framefleet::broker;
using namespace std::chrono_literals;

namespace {

TaskId task(std::uint64_t sequence) { return {1, 1, sequence, 0}; }
constexpr PeerId kWorker{7};
constexpr PeerId kOther{8};

}  // namespace

TEST_CASE("a lease is named by the incarnation and a number that is never used again") {
  LeaseTable leases(5);
  const auto first = leases.open(task(0), kWorker, Time{1s});
  CHECK(first == LeaseId{5, 1});
  REQUIRE(leases.close(first, task(0)));
  CHECK(leases.open(task(0), kWorker, Time{1s}) == LeaseId{5, 2});
}

TEST_CASE("closing gives the lease back once, and only for its own task") {
  LeaseTable leases(1);
  const auto id = leases.open(task(0), kWorker, Time{1s});
  CHECK_FALSE(leases.close(id, task(1)));
  CHECK_FALSE(leases.close(LeaseId{2, id.counter}, task(0)));
  const auto lease = leases.close(id, task(0));
  REQUIRE(lease);
  CHECK(lease->worker == kWorker);
  CHECK(lease->task == task(0));
  CHECK_FALSE(leases.close(id, task(0)));
  CHECK(leases.count() == 0);
  CHECK(leases.count_of(kWorker) == 0);
  CHECK(leases.next_deadline() == kNever);
}

TEST_CASE("a late answer of an earlier lease does not close the new one") {
  LeaseTable leases(1);
  const auto old = leases.open(task(0), kWorker, Time{1s});
  REQUIRE(leases.pop_expired(Time{1s}));
  const auto current = leases.open(task(0), kOther, Time{2s});
  CHECK_FALSE(leases.close(old, task(0)));
  CHECK(leases.close(current, task(0)));
}

TEST_CASE("a lease is over at its deadline, the earliest first, and lives longer when extended") {
  LeaseTable leases(1);
  const auto first = leases.open(task(0), kWorker, Time{1s});
  leases.open(task(1), kWorker, Time{2s});
  CHECK(leases.next_deadline() == Time{1s});
  CHECK_FALSE(leases.pop_expired(Time{1s} - 1ns));
  CHECK(leases.extend(first, Time{3s}));
  CHECK(leases.next_deadline() == Time{2s});
  REQUIRE(leases.pop_expired(Time{9s})->task == task(1));
  REQUIRE(leases.pop_expired(Time{9s})->task == task(0));
  CHECK_FALSE(leases.pop_expired(Time{9s}));
  CHECK_FALSE(leases.extend(first, Time{9s}));
}

TEST_CASE("a worker's leases come newest first, so that put to the front they keep their order") {
  LeaseTable leases(1);
  leases.open(task(0), kWorker, Time{1s});
  leases.open(task(1), kOther, Time{1s});
  leases.open(task(2), kWorker, Time{1s});
  CHECK(leases.count_of(kWorker) == 2);
  CHECK(leases.pop_owned_by(kWorker)->task == task(2));
  CHECK(leases.pop_owned_by(kWorker)->task == task(0));
  CHECK_FALSE(leases.pop_owned_by(kWorker));
  CHECK(leases.count() == 1);
}

TEST_CASE("what a worker cannot have begun with are the leases behind its slots") {
  LeaseTable leases(1);
  for (std::uint64_t s = 0; s < 4; ++s) leases.open(task(s), kWorker, Time{1s});
  leases.open(task(9), kOther, Time{1s});
  const auto unstarted = leases.unstarted_of(kWorker, 2);
  REQUIRE(unstarted.size() == 2);
  CHECK(unstarted[0].task == task(2));
  CHECK(unstarted[1].task == task(3));
  CHECK(leases.unstarted_of(kWorker, 4).empty());
  CHECK(leases.unstarted_of(kWorker, 0).size() == 4);
  CHECK(leases.unstarted_of(PeerId{99}, 0).empty());
}

TEST_CASE("a lease that is closed makes room for the next one in the slots") {
  LeaseTable leases(1);
  const auto first = leases.open(task(0), kWorker, Time{1s});
  leases.open(task(1), kWorker, Time{1s});
  leases.open(task(2), kWorker, Time{1s});
  REQUIRE(leases.close(first, task(0)));
  const auto unstarted = leases.unstarted_of(kWorker, 1);
  REQUIRE(unstarted.size() == 1);
  CHECK(unstarted[0].task == task(2));
}
