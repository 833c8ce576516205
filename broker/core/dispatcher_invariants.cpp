// What must be true of the tables after every event, whatever came. Tests call it; it visits all.

#include "broker/core/dispatcher.hpp"

#include "shared/base/assert.hpp"

#include <cstdint>
#include <map>
#include <utility>

namespace framefleet::broker {

void Dispatcher::check_invariants() const {
  std::uint64_t bytes = 0;
  std::map<const Source*, InProgress> by_source;
  std::map<const Job*, InProgress> by_job;
  std::map<const Source*, std::uint64_t> bytes_by_source;
  std::map<const Source*, std::uint64_t> live_waiting;
  std::map<RouteId, std::uint64_t> by_route;
  InProgress all;
  std::map<const Quota*, std::pair<std::uint64_t, std::uint64_t>> held;  // tasks, bytes
  std::uint64_t timed = 0;
  std::uint64_t unaccounted = 0;
  tasks_.for_each([&](const Task& task) {
    const auto& id = task.id;
    FRAMEFLEET_ASSERT(tasks_.find(id) == &task && task.source != nullptr);
    const auto count = [state = task.state](InProgress& counts) {
      counts.ready += state == TaskState::ready ? 1U : 0U;
      counts.delayed += state == TaskState::delayed ? 1U : 0U;
      counts.leased += state == TaskState::leased ? 1U : 0U;
      counts.storing += state == TaskState::storing ? 1U : 0U;
    };
    count(all);
    if (const auto* quota = task.quota_part.quota()) {
      ++held[quota].first;
      held[quota].second += task.quota_part.bytes_of(quota);
      FRAMEFLEET_ASSERT(task.state != TaskState::storing || is_kept(task) ||
                        task.quota_part.bytes_of(quota) == 0);
    }
    count(by_source[task.source]);
    ++by_route[task.route];
    if (task.job != nullptr) count(by_job[task.job]);
    const bool waits = task.state == TaskState::ready || task.state == TaskState::delayed;
    FRAMEFLEET_ASSERT((task.state == TaskState::storing) == storing_.holds(id));
    FRAMEFLEET_ASSERT(task.state == TaskState::delayed ||
                      (task.due_at() == kNever && !task.unsure));
    FRAMEFLEET_ASSERT(task.state != TaskState::delayed || task.due_at() != kNever || task.unsure);
    FRAMEFLEET_ASSERT(task.flow == nullptr || task.state == TaskState::ready);
    if (task.state == TaskState::leased) {
      const auto* lease = leases_.find(lease_of(task));
      FRAMEFLEET_ASSERT(lease != nullptr && lease->task == id);
    }
    if (task.state != TaskState::storing) {
      bytes += task.bytes();
      bytes_by_source[task.source] += task.bytes();
      FRAMEFLEET_ASSERT(task.charges.failed < options_.failed_attempts_max);
      FRAMEFLEET_ASSERT(task.charges.lost < options_.lost_attempts_max);
    }
    if (task.state == TaskState::ready && task.task_class == TaskClass::live) {
      ++live_waiting[task.source];
      FRAMEFLEET_ASSERT(task.source->waiting_live == &task);
    }
    unaccounted += task.unaccounted() ? 1U : 0U;
    FRAMEFLEET_ASSERT(!task.gone || task.unaccounted() || task.state == TaskState::storing);
    FRAMEFLEET_ASSERT(!options_.journal || is_kept(task) != task.source->unkept.contains(id));
    timed += waits && task.deadline != kNever ? 1U : 0U;
  });
  FRAMEFLEET_ASSERT(all == ledger_.in_progress());
  FRAMEFLEET_ASSERT(all.leased == leases_.count());
  FRAMEFLEET_ASSERT(all.storing == storing_.count());
  FRAMEFLEET_ASSERT(all.delayed == delayed_.size());
  FRAMEFLEET_ASSERT(timed == overdue_.size());
  FRAMEFLEET_ASSERT(unaccounted == ledger_.unaccounted());
  FRAMEFLEET_ASSERT(bytes == backlog_bytes_);
  FRAMEFLEET_ASSERT(tasks_.size() <= options_.backlog_tasks_max);
  FRAMEFLEET_ASSERT(storing_.sent_count() <= options_.sink_window);
  for (const auto& [source, waiting] : live_waiting) FRAMEFLEET_ASSERT(waiting == 1);
  for (const auto& [route, count] : by_route) {
    FRAMEFLEET_ASSERT((routes_.open_routes() & mask_of(route)) != 0);
  }
  for (const auto& [peer, worker] : workers_.all()) {
    FRAMEFLEET_ASSERT(worker.leased == leases_.count_of(peer));
    FRAMEFLEET_ASSERT(worker.waiting() <= options_.ahead_tasks_max);
    FRAMEFLEET_ASSERT(!worker.alone || peer == alone_);
  }
  for (const auto& [identity, quota] : quotas_.all()) {
    FRAMEFLEET_ASSERT((held[&quota] == std::pair{quota.unsettled, quota.held_bytes}));
  }
  std::uint64_t backlog_of_peers = 0;
  for (const auto& [id, peer] : peers_) backlog_of_peers += peer.tasks;
  std::uint64_t backlog_of_owned = 0;
  for (const auto* source : ledger_.sources()) {
    const auto& account = source->account;
    FRAMEFLEET_ASSERT(account.submitted == account.rejected + account.admitted);
    FRAMEFLEET_ASSERT(source->in_progress == by_source[source]);
    FRAMEFLEET_ASSERT(account.admitted == account.settled_in_all() + by_source[source].in_all());
    FRAMEFLEET_ASSERT(source->bytes == bytes_by_source[source]);
    if (source->owner) backlog_of_owned += source->in_progress.backlog();
  }
  FRAMEFLEET_ASSERT(backlog_of_peers == backlog_of_owned);
  for (const auto* job : ledger_.jobs()) {
    const auto& account = job->account;
    FRAMEFLEET_ASSERT(account.submitted == account.rejected + account.admitted);
    FRAMEFLEET_ASSERT(job->in_progress == by_job[job]);
    FRAMEFLEET_ASSERT(account.admitted == account.settled_in_all() + by_job[job].in_all());
  }
}

}  // namespace framefleet::broker
