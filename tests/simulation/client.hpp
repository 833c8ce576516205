#pragma once
// One simulated client process: its core while it lives, and what it holds.

#include "tests/simulation/effects_of.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/pictures.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace framefleet::simulation {

enum class Kind : std::uint8_t { worker, producer, sink };

struct Client {
  Kind kind{Kind::worker};
  std::size_t position{0};  // among all clients
  std::size_t index{0};     // among its kind
  std::variant<std::monostate, worker::Session, producer::Submission, sink::Intake> core;
  PayloadShelf shelf;
  ConnectionId connection{0};
  std::uint32_t life{0};  // +1 at each start and end; what was planned for an earlier life is void
  bool running{false};
  bool paused{false};
  bool gone{false};                     // producer: dead for good, and its pictures with it
  bool live{false};                     // producer: a camera; each life of it is a run of its own
  std::int64_t clock_ppm{0};            // its clock runs so many millionths too fast
  std::vector<Flight> inbox;            // while paused
  std::map<LeaseId, TaskId> pool;       // worker: what its pool works on
  std::deque<AssignedTask> line;        // worker: what waits in its pool
  std::vector<AssignedTask> ended;      // worker: of its pool, and its session has not heard of it
  std::size_t tests{0};                 // worker: slots taken by self-tests
  std::map<LeaseId, Time> deadlines;    // worker: when work on a task must have begun
  std::set<producer::PictureRef> told;  // producer: the tasks whose end it was told in this life
  std::set<producer::PictureRef> seen;  // producer: the pictures that it read in this life

  /// A producer that has done all it was to do, and left.
  bool is_complete() const {
    const auto* submission = std::get_if<producer::Submission>(&core);
    return submission != nullptr && submission->over() && submission->complete();
  }
  std::uint32_t slots() const { return index == 0 ? 2 : 1; }
  /// What the pool of a worker takes beyond its slots; one is like a pool of processes.
  std::size_t line_max() const { return index == 1 ? 0 : 3; }
  std::size_t in_pool() const { return pool.size() + line.size() + ended.size() + tests; }
  /// What a worker can run: the last one lacks a detector that every other task needs.
  std::vector<std::string> detectors() const {
    return index == 2 ? std::vector<std::string>{"faces"}
                      : std::vector<std::string>{"edges", "faces"};
  }
  std::string name() const {
    const char* const kinds[] = {"worker", "producer", "sink"};
    return std::string(kinds[static_cast<int>(kind)]) + "-" + std::to_string(index);
  }
};

/// Each producer has one source. A camera starts anew with a higher epoch, a folder goes on.
inline producer::SourceOutline source_of(const Client& producer) {
  producer::SourceOutline source;
  source.name = (producer.live ? "camera-" : "folder-") + std::to_string(producer.index);
  source.hash = 1000 + producer.index;
  source.epoch = producer.live ? 1 + producer.life : 1;
  if (producer.live) {
    source.interval = std::chrono::milliseconds{100};
    source.task_class = TaskClass::live;
  }
  return source;
}

/// Whose key the producer of that source has, where there are keys: two have one in common.
inline std::string identity_of(std::uint64_t source_hash) {
  return source_hash % 2 == 0 ? "door" : "gate";
}

}  // namespace framefleet::simulation
