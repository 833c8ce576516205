#pragma once
// The promises of the fleet as an observer can check them: it sees every message that is sent, what
// the broker did with what it received, and the one store. It knows nothing of the cores' tables,
// so a core that cheats in its books is found out. The first promise broken is kept.

#include "broker/core/dispatcher.hpp"
#include "producer/core/submission.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/pictures.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace framefleet::simulation {

/// What the broker counts for a task, at least.
inline constexpr std::uint64_t kTaskBytes = kInputBytes + broker::Task::kTables;

class Promises {
 public:
  void break_with(std::string what);
  const std::optional<std::string>& broken() const { return broken_; }

  // The broker, from outside.
  void broker_starts(const broker::CoreOptions& options);
  /// It found this in its journal.
  void broker_restores(const JournaledTask& task, Time written_at);
  void broker_restores(const FleetBook& fleet) { paused_ = fleet.paused; }
  void broker_restores(const SourceBook& source);
  void broker_received(const Message& message, const broker::Effects& effects, Time now);
  void broker_sends(const Message& message, const std::vector<Content>& contents, Time now);
  /// `on_disk(id)`: the journal has it.
  template <class OnDisk>
  void says_durable(const Admitted& admitted, OnDisk on_disk) {
    for (const auto& [id, durable] : admitted.tasks) {
      if (!durable) continue;
      if (!on_disk(id) && !store_.contains(id)) {
        break_with("said to be durable, and it is not: " + to_string(id));
      }
      durable_.insert(id);
    }
  }
  /// Results of hand-outs by an earlier broker that ended their tasks.
  std::uint64_t from_before() const { return from_before_; }
  /// Of a broker with a journal: of what is not live the store gets what the journal has, or what
  /// a book names.
  template <class OnDisk>
  void lets_store(const Outcomes& outcomes, OnDisk on_disk) {
    for (const auto& outcome : outcomes.outcomes) {
      if (outcome.task_class == TaskClass::batch && !on_disk(outcome.id)) {
        break_with("is to be stored, and the journal never had it: " + to_string(outcome.id));
      }
    }
  }
  /// What brokers found in an earlier one's books alone: it must end, whoever comes back.
  const std::set<TaskId>& unaccounted() const { return unaccounted_; }
  /// Ever said to be durable.
  const std::set<TaskId>& durable() const { return durable_; }
  /// Beside broker_received and broker_sends: over which connection.
  void broker_hears(ConnectionId from, const Message& message);
  void broker_assigns(ConnectionId to, const Message& message);
  void operator_orders(const Control& control, bool done);
  void broker_rests(const broker::Dispatcher& broker, Time now);

  // Keys, where producers have some.
  /// Each identity may have so much, over all its connections.
  void keys_limit(const broker::QuotaLimits& limits) { limits_ = limits; }
  /// What one broker remembers goes with it, but for the sources on its journal's disk.
  void owners_survive(const std::set<std::uint64_t>& on_disk);
  /// Sources that a producer with a key was welcomed with, and nobody forgot since.
  const std::set<std::uint64_t>& owned() const { return owned_; }
  /// `effects`: what the broker did with what came from `thief`, who owns none of this.
  void thief_is_answered(PeerId thief, const broker::Effects& effects);

  // Its clients.
  void worker_starts(const AssignedTask& task, const PayloadShelf& shelf);
  void sink_sends(const Message& message);
  void sink_commits(const std::vector<Outcome>& outcomes, const PayloadShelf& shelf);
  void producer_is_told(const producer::TaskEnded& ended);

  // The store: what is in it survives everything and is never overwritten.
  SettledTask store(const Outcome& outcome, const PayloadShelf& shelf);
  const std::map<TaskId, SettledTask>& stored() const { return store_; }
  /// Its job was cancelled when its producer submitted it.
  bool was_rejected(const TaskId& id) const { return rejected_.contains(id); }

 private:
  /// A task as this incarnation of the broker deals with it.
  struct Watched {
    bool live{false};
    Time deadline{kNever};
    LeaseId lease;           // the latest
    LeaseId over;            // of earlier brokers: nothing may come of those up to this one
    bool restored{false};    // an earlier broker admitted it
    bool gone{false};        // nobody has its picture
    std::uint16_t nacks{0};  // accepted ones that use an attempt
    bool refused{false};     // by a nack that is final
    bool ended{false};       // its outcome was seen
  };

  bool counts_from_before(const Watched& watched, const LeaseId& lease) const;
  void closed_by(const std::vector<LeasedTask>& answered, const broker::Effects& effects);
  void admitted(const Submit& submit, const broker::Effects& effects, Time now);
  void nacked(const Nack& nack);
  void settled(const TaskId& task);
  void assigned(const AssignedTask& task, Time now);
  void ended(const Outcome& outcome, const Content* content, Time now);
  void failed(const Outcome& outcome, const Watched& watched);
  void must_be_stored(const SettledTask& settled, const char* said_by);
  void within_limits(std::uint64_t source, Time now);

  std::optional<std::string> broken_;
  broker::CoreOptions options_;
  std::map<TaskId, Watched> watched_;
  std::deque<TaskId> settled_lately_;  // as many as the broker remembers
  std::set<std::uint64_t> leases_;     ///< Of this broker.
  /// Epoch and sequence of the newest frame that each camera got admitted.
  std::map<std::uint64_t, std::pair<std::uint32_t, std::uint64_t>> newest_;
  bool let_in_{false};                // the event that is under way admitted a task
  std::set<ConnectionId> not_ready_;  // workers, by what the broker heard last
  bool paused_{false};
  std::set<std::string> paused_sources_;
  std::set<TaskId> cancelled_;  // by an operator, ever
  std::set<std::string> cancelled_jobs_;
  std::set<TaskId> withdrawn_;  // cancelled, by what the disk says
  std::set<TaskId> rejected_;
  std::map<TaskId, SettledTask> store_;
  std::set<TaskId> durable_;
  std::set<TaskId> unaccounted_;
  std::uint64_t from_before_{0};
  std::optional<broker::QuotaLimits> limits_;
  std::map<std::string, std::deque<Time>> let_in_at_;     // by identity, of the last second
  std::map<ConnectionId, std::set<std::uint64_t>> said_;  // claims, until they are answered
  std::set<std::uint64_t> owned_;
};

}  // namespace framefleet::simulation
