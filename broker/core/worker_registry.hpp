#pragma once
// The workers in service: what each can run and how many slots are free.

#include "broker/core/backlog.hpp"

#include "shared/base/strong_id.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace framefleet::broker {

struct Worker {
  PeerId peer;
  std::string name;
  std::string build;
  std::vector<std::string> detectors;  ///< Sorted.
  std::uint32_t slots{0};
  std::uint32_t leased{0};  ///< Tasks it holds; never more than `slots`.
  bool draining{false};
  bool full{false};  ///< It gave tasks back: nothing more for it before its next heartbeat.
  std::uint64_t assigned_at{0};  ///< Value of the registry's clock at its latest task.

  bool has_free_slot() const { return !draining && !full && leased < slots; }
  bool serves(const Route& route) const;
};

class WorkerRegistry {
 public:
  void add(Worker worker);
  void remove(PeerId peer);
  Worker* find(PeerId peer);
  const Worker* find(PeerId peer) const;

  void took_task(PeerId peer);
  void gave_back_slot(PeerId peer);

  /// Calls `visit(worker)` for the workers with a free slot: most free slots first, then the one
  /// that has waited longest. Stops when `visit` returns true; the answer says whether it did.
  template <class Visit>
  bool visit_free(Visit visit) {
    for (auto* worker : in_order_of_choice()) {
      if (visit(*worker)) return true;
    }
    return false;
  }

  std::uint32_t free_slots() const;
  const std::map<PeerId, Worker>& all() const { return workers_; }

 private:
  std::vector<Worker*> in_order_of_choice();

  std::map<PeerId, Worker> workers_;
  std::uint64_t clock_{0};
};

}  // namespace framefleet::broker
