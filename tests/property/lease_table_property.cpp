// The lease table against a list.

#include "broker/core/lease_table.hpp"
#include "tests/property/commands.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

using namespace framefleet;
using namespace framefleet::broker;
using namespace framefleet::test;

namespace {

class NaiveLeases {
 public:
  void open(const Lease& lease) {
    leases_.push_back(lease);
    given_[lease.id] = ++gifts_;
  }
  template <class Wanted, class Order>
  std::optional<Lease> take(Wanted wanted, Order before) {
    auto best = leases_.end();
    for (auto lease = leases_.begin(); lease != leases_.end(); ++lease) {
      if (wanted(*lease) && (best == leases_.end() || before(*lease, *best))) best = lease;
    }
    if (best == leases_.end()) return std::nullopt;
    const Lease taken = *best;
    leases_.erase(best);
    return taken;
  }
  bool extend(const LeaseId& id, Time deadline) {
    for (auto& lease : leases_) {
      if (lease.id != id) continue;
      lease.deadline = deadline;
      given_.at(id) = ++gifts_;
      return true;
    }
    return false;
  }
  /// Whether `left` is over before `right`: earlier, or by a deadline that it was given earlier.
  bool over_before(const Lease& left, const Lease& right) const {
    return std::pair{left.deadline, given_.at(left.id)} <
           std::pair{right.deadline, given_.at(right.id)};
  }
  Time next_deadline() const {
    Time next = kNever;
    for (const auto& lease : leases_) next = std::min(next, lease.deadline);
    return next;
  }
  std::size_t count() const { return leases_.size(); }
  std::size_t count_of(PeerId worker) const {
    return static_cast<std::size_t>(
        std::count_if(leases_.begin(), leases_.end(),
                      [worker](const Lease& lease) { return lease.worker == worker; }));
  }
  /// The worker's tasks but the first `slots`; leases_ is in the order of opening.
  std::vector<TaskId> unstarted_of(PeerId worker, std::uint64_t slots) const {
    std::vector<TaskId> unstarted;
    for (const auto& lease : leases_) {
      if (lease.worker != worker) continue;
      if (slots > 0) {
        --slots;
      } else {
        unstarted.push_back(lease.task);
      }
    }
    return unstarted;
  }

 private:
  std::vector<Lease> leases_;
  std::map<LeaseId, std::uint64_t> given_;  // deadlines, in their order
  std::uint64_t gifts_{0};
};

bool same(const std::optional<Lease>& left, const std::optional<Lease>& right) {
  if (!left || !right) return !left && !right;
  return left->id == right->id && left->task == right->task && left->worker == right->worker &&
         left->deadline == right->deadline;
}

}  // namespace

TEST_CASE("the lease table holds what a naive one holds") {
  CHECK(rc::check([] {
    LeaseTable table(3);
    NaiveLeases naive;
    std::uint64_t opened = 0;
    const auto by_id = [](const Lease& left, const Lease& right) { return left.id < right.id; };
    for (const auto& command : some_commands(5)) {
      const TaskId task = task_of(command.task);
      const PeerId worker{command.other % 3 + 1};
      const LeaseId id{3, command.task + 1};
      const Time time{std::chrono::milliseconds{command.time}};
      switch (command.kind) {
        case 0: {
          const auto lease = table.open(task, worker, time);
          RC_ASSERT(lease == (LeaseId{3, ++opened}));
          naive.open({lease, task, worker, time});
          break;
        }
        case 1: {
          const TaskId named = task_of(command.other);
          RC_ASSERT(same(
              table.close(id, named),
              naive.take([&](const Lease& lease) { return lease.id == id && lease.task == named; },
                         by_id)));
          break;
        }
        case 2:
          RC_ASSERT(table.extend(id, time) == naive.extend(id, time));
          break;
        case 3:
          RC_ASSERT(same(table.pop_expired(time),
                         naive.take([&](const Lease& lease) { return lease.deadline <= time; },
                                    [&](const Lease& left, const Lease& right) {
                                      return naive.over_before(left, right);
                                    })));
          break;
        default:
          RC_ASSERT(same(table.pop_owned_by(worker),
                         naive.take([&](const Lease& lease) { return lease.worker == worker; },
                                    [&](const Lease& left, const Lease& right) {
                                      return by_id(right, left);
                                    })));
          break;
      }
      RC_ASSERT(table.count() == naive.count());
      RC_ASSERT(table.count_of(worker) == naive.count_of(worker));
      RC_ASSERT(table.next_deadline() == naive.next_deadline());
      std::vector<TaskId> unstarted;
      for (const auto& lease : table.unstarted_of(worker, command.other)) {
        unstarted.push_back(lease.task);
      }
      RC_ASSERT(unstarted == naive.unstarted_of(worker, command.other));
    }
  }));
}
