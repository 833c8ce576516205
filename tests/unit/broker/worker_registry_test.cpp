#include "broker/core/worker_registry.hpp"

#include "tests/support/catch.hpp"

using namespace framefleet;
using namespace framefleet::broker;
using namespace std::chrono_literals;

namespace {

Worker worker(std::uint64_t peer, std::uint32_t slots, std::vector<std::string> detectors = {}) {
  Worker worker;
  worker.peer = PeerId{peer};
  worker.slots = slots;
  worker.detectors = std::move(detectors);
  return worker;
}

PeerId choice(const WorkerRegistry& workers) {
  PeerId chosen;
  workers.visit_idle([&](const Worker& worker) {
    chosen = worker.peer;
    return true;
  });
  return chosen;
}

/// One worker, quick with faces, that has all slots taken.
struct BusyWorker {
  explicit BusyWorker(std::uint32_t slots, Duration service) {
    faces = *routes.open({"faces"});
    edges = *routes.open({"edges"});
    workers.add(worker(1, slots, {"faces", "edges"}));
    workers.note_routes(routes);
    workers.finished(kPeer, faces, routes, service);
    for (std::uint32_t i = 0; i < slots; ++i) workers.took_task(kPeer, kNever);
  }
  RouteMask ahead(Duration ahead_time) const {
    return workers.find(kPeer)->ahead_routes(~RouteMask{0}, ahead_time, routes);
  }

  static constexpr PeerId kPeer{1};
  RouteTable routes;
  WorkerRegistry workers;
  RouteId faces{};
  RouteId edges{};
};

}  // namespace

TEST_CASE("a worker serves a route when it has all its detectors") {
  WorkerRegistry workers;
  workers.add(worker(1, 1, {"faces", "edges"}));  // in any order
  const auto* found = workers.find(PeerId{1});
  REQUIRE(found != nullptr);
  CHECK(found->serves({"edges"}));
  CHECK(found->serves({"edges", "faces"}));
  CHECK(found->serves(Route{}));
  CHECK_FALSE(found->serves({"edges", "people"}));
}

TEST_CASE("what is served is what somebody serves who does not drain") {
  RouteTable routes;
  const auto faces = *routes.open({"faces"});
  const auto edges = *routes.open({"edges"});
  routes.open({"people"});
  WorkerRegistry workers;
  workers.add(worker(1, 1, {"faces"}));
  workers.add(worker(2, 1, {"edges", "faces"}));
  CHECK(workers.note_routes(routes) == (mask_of(faces) | mask_of(edges)));
  CHECK(workers.find(PeerId{1})->serves(faces));
  CHECK_FALSE(workers.find(PeerId{1})->serves(edges));
  workers.update(PeerId{2}, [](Worker& leaving) { leaving.draining = true; });
  CHECK(workers.note_routes(routes) == mask_of(faces));
}

TEST_CASE("most idle slots first, then the one that waited longest, then the smaller id") {
  WorkerRegistry workers;
  workers.add(worker(1, 1));
  workers.add(worker(2, 2));
  workers.add(worker(3, 1));
  CHECK(choice(workers) == PeerId{2});
  workers.took_task(PeerId{2}, kNever);
  CHECK(choice(workers) == PeerId{1});
  workers.took_task(PeerId{1}, kNever);
  CHECK(choice(workers) == PeerId{3});
  workers.took_task(PeerId{3}, kNever);
  CHECK(choice(workers) == PeerId{2});
  CHECK(workers.free_slots() == 1);
}

TEST_CASE("a worker that drains, is full, is kept alone or has no slots is not chosen") {
  WorkerRegistry workers;
  for (std::uint64_t peer = 1; peer <= 3; ++peer) workers.add(worker(peer, 1));
  workers.add(worker(4, 0));
  workers.update(PeerId{1}, [](Worker& each) { each.draining = true; });
  workers.update(PeerId{2}, [](Worker& each) { each.full = true; });
  workers.update(PeerId{3}, [](Worker& each) { each.alone = true; });
  CHECK(choice(workers) == PeerId{});
  CHECK(workers.free_slots() == 0);
  workers.update(PeerId{2}, [](Worker& each) { each.full = false; });
  CHECK(choice(workers) == PeerId{2});
  workers.update(PeerId{3}, [](Worker& each) { each.alone = false; });
  CHECK(workers.free_slots() == 2);
}

TEST_CASE("the slots in service are those of all that neither drain nor are not ready") {
  WorkerRegistry workers;
  workers.add(worker(1, 4));
  workers.add(worker(2, 2));
  CHECK(workers.slots_in_service() == 6);
  workers.took_task(PeerId{1}, kNever);
  CHECK(workers.slots_in_service() == 6);  // taken or not
  workers.update(PeerId{1}, [](Worker& changed) { changed.draining = true; });
  CHECK(workers.slots_in_service() == 2);
  workers.update(PeerId{2}, [](Worker& changed) { changed.not_ready = "its self-test"; });
  CHECK(workers.slots_in_service() == 0);
  workers.update(PeerId{2}, [](Worker& changed) { changed.not_ready.clear(); });
  workers.add(worker(2, 3));  // the same peer again
  CHECK(workers.slots_in_service() == 3);
  workers.remove(PeerId{2});
  workers.remove(PeerId{1});
  CHECK(workers.slots_in_service() == 0);
}

TEST_CASE("a slot given back is free again, and of a worker that is gone nothing is left") {
  WorkerRegistry workers;
  workers.add(worker(1, 1));
  workers.took_task(PeerId{1}, kNever);
  CHECK(choice(workers) == PeerId{});
  workers.took_task(PeerId{1}, kNever);
  CHECK(workers.find(PeerId{1})->waiting() == 1);
  workers.gave_back_slot(PeerId{1}, kNever);
  CHECK(choice(workers) == PeerId{});
  workers.gave_back_slot(PeerId{1}, kNever);
  CHECK(choice(workers) == PeerId{1});
  workers.remove(PeerId{1});
  workers.gave_back_slot(PeerId{1}, kNever);
  CHECK(workers.find(PeerId{1}) == nullptr);
  CHECK(choice(workers) == PeerId{});
}

TEST_CASE(
    "what waits in a worker is taken back at the time first said, and anew after each result") {
  WorkerRegistry workers;
  workers.add(worker(1, 1));
  const auto recall_at = [&] { return workers.find(PeerId{1})->recall_at; };
  workers.took_task(PeerId{1}, Time{10ms});
  CHECK(recall_at() == kNever);  // nothing waits
  workers.took_task(PeerId{1}, Time{20ms});
  workers.took_task(PeerId{1}, Time{30ms});
  CHECK(recall_at() == Time{20ms});
  workers.gave_back_slot(PeerId{1}, Time{40ms});
  CHECK(recall_at() == Time{40ms});
  workers.gave_back_slot(PeerId{1}, Time{50ms});
  CHECK(recall_at() == kNever);
}

TEST_CASE("visiting goes on until a worker takes something") {
  WorkerRegistry workers;
  workers.add(worker(1, 1));
  workers.add(worker(2, 1));
  int visited = 0;
  CHECK_FALSE(workers.visit_idle([&](const Worker&) { return ++visited > 2; }));
  CHECK(visited == 2);
}

TEST_CASE("a worker takes ahead what it begins with in time, by its measure of that route") {
  BusyWorker busy(1, 4ms);
  CHECK(busy.ahead(10ms) == mask_of(busy.faces));  // edges: never measured there
  busy.workers.took_task(BusyWorker::kPeer, kNever);
  CHECK(busy.ahead(10ms) == mask_of(busy.faces));
  busy.workers.took_task(BusyWorker::kPeer, kNever);
  CHECK(busy.ahead(10ms) == 0);  // a third would wait 12 ms
  CHECK(busy.ahead(12ms) == mask_of(busy.faces));
}

TEST_CASE("several slots get through more in the same time") {
  BusyWorker busy(3, 9ms);
  for (int i = 0; i < 3; ++i) {
    CHECK(busy.ahead(10ms) == mask_of(busy.faces));
    busy.workers.took_task(BusyWorker::kPeer, kNever);
  }
  CHECK(busy.ahead(10ms) == 0);
}

TEST_CASE("the slower of the worker's and the route's measure counts") {
  BusyWorker busy(1, 2ms);
  busy.workers.finished(BusyWorker::kPeer, busy.edges, busy.routes, 40ms);
  // The worker's mean is now 2 ms + 38 ms / 8.
  CHECK(busy.ahead(6ms) == 0);
  CHECK(busy.ahead(7ms) == mask_of(busy.faces));
  CHECK(busy.ahead(40ms) == (mask_of(busy.faces) | mask_of(busy.edges)));
}

TEST_CASE("nothing goes ahead to a worker with a free slot, or one that takes nothing") {
  BusyWorker busy(1, 1ms);
  REQUIRE(busy.ahead(10ms) != 0);
  for (auto flag : {&Worker::draining, &Worker::full, &Worker::alone}) {
    busy.workers.update(BusyWorker::kPeer, [flag](Worker& each) { each.*flag = true; });
    CHECK(busy.ahead(10ms) == 0);
    busy.workers.update(BusyWorker::kPeer, [flag](Worker& each) { each.*flag = false; });
  }
  busy.workers.gave_back_slot(BusyWorker::kPeer, kNever);
  CHECK(busy.ahead(10ms) == 0);  // an idle slot is the better offer
}

TEST_CASE("a measure of a route that had the same number before counts for nothing") {
  BusyWorker busy(1, 1ms);
  busy.routes.enter(busy.faces);
  busy.routes.leave(busy.faces);
  REQUIRE(busy.routes.open({"faces", "people"}) == busy.faces);
  CHECK(busy.ahead(10ms) == 0);
}

TEST_CASE("the worker to go without is the one that has had nothing to do for the longest") {
  WorkerRegistry workers;
  for (std::uint64_t peer = 1; peer <= 4; ++peer) {
    auto made = worker(peer, 2);
    made.name = "w" + std::to_string(peer);
    workers.add(made);
  }
  const auto line = [&](std::uint64_t count, const std::vector<std::string>& names = {}) {
    std::string text;
    for (const auto* each : workers.idlest(count, names)) text += each->name;
    return text;
  };
  CHECK(line(9) == "w1w2w3w4");
  CHECK(line(1) == "w1");
  workers.took_task(PeerId{1}, kNever);
  CHECK(line(9) == "w2w3w4w1");
  workers.gave_back_slot(PeerId{1}, kNever);
  CHECK(line(9) == "w2w3w4w1");  // the latest to become idle
  workers.took_task(PeerId{2}, kNever);
  workers.took_task(PeerId{2}, kNever);
  workers.took_task(PeerId{3}, kNever);
  CHECK(line(9) == "w4w1w3w2");
  CHECK(line(9, {"w2", "w3", "nobody"}) == "w3w2");
  workers.update(PeerId{4}, [](Worker& leaving) { leaving.draining = true; });
  CHECK(line(9) == "w1w3w2");
  CHECK(line(0).empty());
}
