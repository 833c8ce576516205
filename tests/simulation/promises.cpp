#include "tests/simulation/promises.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace framefleet::simulation {
namespace {

template <class Effect>
bool holds(const broker::Effects& effects) {
  return std::any_of(effects.begin(), effects.end(),
                     [](const auto& effect) { return std::holds_alternative<Effect>(effect); });
}

}  // namespace

void Promises::break_with(std::string what) {
  if (!broken_) broken_ = std::move(what);
}

void Promises::broker_starts(const broker::CoreOptions& options) {
  options_ = options;
  watched_.clear();
  settled_lately_.clear();
  last_lease_ = 0;
}

void Promises::broker_received(const Message& message, const broker::Effects& effects) {
  if (const auto* result = std::get_if<TaskResult>(&message)) {
    closed_by(result->id, result->lease, effects);
  } else if (const auto* nack = std::get_if<Nack>(&message)) {
    closed_by(nack->id, nack->lease, effects);
    if (!holds<broker::LeaseClosed>(effects)) return;  // stale
    auto& task = watched_[nack->id];
    const auto charge = entry(nack->reason).charge;
    if (charge == Charge::failed) ++task.nacks;
    if (charge == Charge::final) task.refused = true;
  } else if (const auto* stored = std::get_if<Stored>(&message)) {
    if (!holds<broker::TaskSettled>(effects)) return;  // said twice, or by a sink it has forgotten
    for (const auto& settled : stored->tasks) {
      const auto position = watched_.find(settled.id);
      if (position == watched_.end() || !position->second.ended) continue;
      watched_.erase(position);
      settled_lately_.push_back(settled.id);
      // An outcome can be settled that was never seen here; half of the memory leaves room for
      // those.
      if (settled_lately_.size() > options_.settled_memory / 2) settled_lately_.pop_front();
    }
  }
}

/// Only the lease handed out last may be closed by what its worker says.
void Promises::closed_by(const TaskId& task, const LeaseId& lease, const broker::Effects& effects) {
  if (!holds<broker::LeaseClosed>(effects)) return;
  const auto position = watched_.find(task);
  if (position == watched_.end() || position->second.lease != lease) {
    break_with("a lease is closed by the answer to another one: " + to_string(task));
  }
}

void Promises::broker_sends(const Message& message, const std::vector<Content>& contents) {
  if (const auto* assign = std::get_if<Assign>(&message)) {
    for (const auto& task : assign->tasks) assigned(task);
  } else if (const auto* outcomes = std::get_if<Outcomes>(&message)) {
    for (std::size_t i = 0; i < outcomes->outcomes.size() && i < contents.size(); ++i) {
      ended(outcomes->outcomes[i], contents[i]);
    }
  } else if (const auto* settled = std::get_if<Settled>(&message)) {
    for (const auto& task : settled->tasks) must_be_stored(task, "the broker");
  } else if (const auto* known = std::get_if<Known>(&message)) {
    for (const auto& task : known->stored) must_be_stored(task, "the broker");
  }
}

void Promises::assigned(const AssignedTask& task) {
  const std::string id = to_string(task.id);
  if (task.lease.counter <= last_lease_) break_with("a lease is used again for " + id);
  last_lease_ = task.lease.counter;
  if (std::count(settled_lately_.begin(), settled_lately_.end(), task.id) > 0) {
    break_with("handed out although it was settled a moment ago: " + id);
  }
  if (task.attempt == 1) watched_[task.id] = {};
  auto& watched = watched_[task.id];
  if (watched.ended) break_with("handed out after its end: " + id);
  if (watched.refused || watched.nacks >= options_.failed_attempts_max) {
    break_with("handed out more often than allowed: " + id);
  }
  watched.lease = task.lease;
}

void Promises::ended(const Outcome& outcome, const Content& content) {
  const std::string id = to_string(outcome.id);
  auto& watched = watched_[outcome.id];
  if (watched.ended) return;  // sent again
  watched.ended = true;
  if (outcome.status == Status::ok) {
    if (!content.is_result || content.lease != watched.lease) {
      break_with("ended by the result of another lease: " + id);
    }
    return;
  }
  const auto charge = entry(outcome.reason).charge;
  if (charge == Charge::failed && watched.nacks != options_.failed_attempts_max) {
    break_with(fmt::format("failed after {} attempts, not {}: {}", watched.nacks,
                           options_.failed_attempts_max, id));
  }
  if (charge == Charge::final && !watched.refused) break_with("given up without cause: " + id);
  if (charge == Charge::lost && outcome.attempts < options_.lost_attempts_max) {
    break_with("given up before its last attempt: " + id);
  }
  if (charge == Charge::nothing || charge == Charge::answer) {
    break_with(fmt::format("{} failed for '{}'", id, to_string(outcome.reason)));
  }
}

void Promises::must_be_stored(const SettledTask& settled, const char* said_by) {
  const auto row = store_.find(settled.id);
  if (row == store_.end()) {
    break_with(fmt::format("{} says stored, and it is not: {}", said_by, to_string(settled.id)));
  } else if (row->second != settled) {
    break_with(fmt::format("{} tells another outcome than the stored one: {}", said_by,
                           to_string(settled.id)));
  }
}

void Promises::broker_rests(const broker::Dispatcher& broker, Time now) {
  broker.check_invariants();
  const auto status = broker.fleet_status(now);
  const bool one_alone = status.in_progress.backlog() <= 1;
  if (status.backlog_bytes > options_.backlog_bytes_max && !one_alone) {
    break_with(fmt::format("the broker holds {} bytes of tasks, {} are allowed",
                           status.backlog_bytes, options_.backlog_bytes_max));
  }
  if (status.in_progress.in_all() > options_.backlog_tasks_max) {
    break_with("the broker holds more tasks than allowed");
  }
}

void Promises::worker_starts(const AssignedTask& task, const PayloadShelf& shelf,
                             std::size_t running, std::size_t slots) {
  const auto* content = shelf.find(task.payload.id);
  if (content == nullptr || content->task != task.id || content->is_result) {
    break_with("a task came with wrong pixels: " + to_string(task.id));
  }
  if (running > slots) break_with(fmt::format("{} tasks run in {} slots", running, slots));
}

void Promises::sink_sends(const Message& message) {
  if (const auto* stored = std::get_if<Stored>(&message)) {
    for (const auto& task : stored->tasks) must_be_stored(task, "the sink");
  } else if (const auto* known = std::get_if<Known>(&message)) {
    for (const auto& task : known->stored) must_be_stored(task, "the sink");
  }
}

void Promises::sink_commits(const std::vector<Outcome>& outcomes, const PayloadShelf& shelf) {
  for (const auto& outcome : outcomes) {
    if (shelf.count_of(outcome.id) > 1) {
      break_with("the sink keeps two copies of " + to_string(outcome.id));
    }
  }
}

void Promises::producer_is_told(const producer::TaskEnded& ended) {
  if (ended.rejected) {
    break_with("rejected: " + to_string(ended.settled.id) + " " + ended.settled.text);
  } else {
    must_be_stored(ended.settled, "the producer");
  }
}

SettledTask Promises::store(const Outcome& outcome, const PayloadShelf& shelf) {
  const auto* content = shelf.find(outcome.payload.id);
  const bool ok = outcome.status == Status::ok;
  if (content == nullptr || content->task != outcome.id || content->is_result != ok) {
    break_with("an outcome came with wrong bytes: " + to_string(outcome.id));
  }
  const bool must_fail = is_poison(outcome.id) || is_refused(outcome.id);
  const bool by_detector = outcome.reason == Reason::detector_error;
  const bool by_gate = outcome.reason == Reason::not_a_picture;
  if ((ok && must_fail) || (by_detector && !is_poison(outcome.id)) ||
      (by_gate && !is_refused(outcome.id))) {
    break_with(fmt::format("{} ended as {} ({})", to_string(outcome.id), to_string(outcome.status),
                           to_string(outcome.reason)));
  }
  const SettledTask row{outcome.id, outcome.status, outcome.reason, outcome.text};
  return store_.try_emplace(outcome.id, row).first->second;
}

}  // namespace framefleet::simulation
