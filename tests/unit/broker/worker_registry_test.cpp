#include "broker/core/worker_registry.hpp"

#include "tests/support/catch.hpp"

using namespace framefleet;
using namespace framefleet::broker;

namespace {

Worker worker(std::uint64_t peer, std::uint32_t slots) {
  Worker worker;
  worker.peer = PeerId{peer};
  worker.slots = slots;
  return worker;
}

PeerId choice(WorkerRegistry& workers) {
  PeerId chosen;
  workers.visit_free([&](Worker& worker) {
    chosen = worker.peer;
    return true;
  });
  return chosen;
}

}  // namespace

TEST_CASE("a worker serves a route when it has all its detectors") {
  WorkerRegistry workers;
  auto added = worker(1, 1);
  added.detectors = {"faces", "edges"};  // in any order
  workers.add(added);
  const auto* found = workers.find(PeerId{1});
  REQUIRE(found != nullptr);
  CHECK(found->serves({"edges"}));
  CHECK(found->serves({"edges", "faces"}));
  CHECK(found->serves({}));
  CHECK_FALSE(found->serves({"edges", "people"}));
}

TEST_CASE("most free slots first, then the one that waited longest, then the smaller id") {
  WorkerRegistry workers;
  workers.add(worker(1, 1));
  workers.add(worker(2, 2));
  workers.add(worker(3, 1));
  CHECK(choice(workers) == PeerId{2});
  workers.took_task(PeerId{2});
  CHECK(choice(workers) == PeerId{1});
  workers.took_task(PeerId{1});
  CHECK(choice(workers) == PeerId{3});
  workers.took_task(PeerId{3});
  CHECK(choice(workers) == PeerId{2});
  CHECK(workers.free_slots() == 1);
}

TEST_CASE("a worker that drains, is full or has no slots is not chosen") {
  WorkerRegistry workers;
  workers.add(worker(1, 1));
  workers.add(worker(2, 1));
  workers.add(worker(3, 0));
  workers.find(PeerId{1})->draining = true;
  workers.find(PeerId{2})->full = true;
  CHECK(choice(workers) == PeerId{});
  CHECK(workers.free_slots() == 0);
  workers.find(PeerId{2})->full = false;
  CHECK(choice(workers) == PeerId{2});
}

TEST_CASE("a slot given back is free again, and of a worker that is gone nothing is left") {
  WorkerRegistry workers;
  workers.add(worker(1, 1));
  workers.took_task(PeerId{1});
  CHECK(choice(workers) == PeerId{});
  workers.gave_back_slot(PeerId{1});
  CHECK(choice(workers) == PeerId{1});
  workers.remove(PeerId{1});
  workers.gave_back_slot(PeerId{1});
  CHECK(workers.find(PeerId{1}) == nullptr);
}

TEST_CASE("visiting goes on until a worker takes something") {
  WorkerRegistry workers;
  workers.add(worker(1, 1));
  workers.add(worker(2, 1));
  int visited = 0;
  CHECK_FALSE(workers.visit_free([&](Worker&) { return ++visited > 2; }));
  CHECK(visited == 2);
}
