#include "tests/simulation/promises.hpp"

#include "tests/simulation/client.hpp"

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
  leases_.clear();
  newest_.clear();
  paused_ = false;
  paused_sources_.clear();
}

void Promises::broker_restores(const JournaledTask& task, Time written_at) {
  auto& watched = watched_[task.id];
  watched.restored = true;
  if (task.cancelled) withdrawn_.insert(task.id);
  watched.over = task.over;
  watched.nacks = task.failed;
  if (task.ttl_left > Duration::zero()) watched.deadline = written_at + task.ttl_left;
}

void Promises::broker_restores(const SourceBook& source) {
  if (source.paused) paused_sources_.insert(source.name);
  const auto name = [&](const std::vector<TaskId>& ids, bool live) {
    for (const auto& id : ids) {
      auto& watched = watched_[id];
      watched.live = live;
      watched.restored = watched.gone = true;
      unaccounted_.insert(id);
    }
  };
  name(source.live, true);
  name(source.gone, false);
}

void Promises::broker_received(const Message& message, const broker::Effects& effects, Time now) {
  if (const auto* submit = std::get_if<Submit>(&message)) {
    admitted(*submit, effects, now);
  } else if (const auto* results = std::get_if<Results>(&message)) {
    std::vector<LeasedTask> answered;
    for (const auto& result : results->tasks) answered.push_back({result.id, result.lease});
    closed_by(answered, effects);
  } else if (const auto* nack = std::get_if<Nack>(&message)) {
    closed_by({{nack->id, nack->lease}}, effects);
    if (holds<broker::LeaseClosed>(effects)) nacked(*nack);  // else it is stale
  }
  for (const auto& effect : effects) {
    if (const auto* end = std::get_if<broker::TaskSettled>(&effect)) settled(end->task);
  }
}

void Promises::admitted(const Submit& submit, const broker::Effects& effects, Time now) {
  for (const auto& effect : effects) {
    std::vector<AdmittedTask> let_in;
    if (const auto* write = std::get_if<broker::WriteTask>(&effect)) {
      let_in = {{write->task.id, true}};
    } else if (const auto* send = std::get_if<broker::SendTo>(&effect)) {
      const auto* answer = std::get_if<Admitted>(&send->message);
      if (answer != nullptr) let_in = answer->tasks;
    }
    for (const auto& [id, durable] : let_in) {
      const auto task = std::find_if(submit.tasks.begin(), submit.tasks.end(),
                                     [&id = id](const auto& each) { return each.id == id; });
      if (task == submit.tasks.end()) continue;
      const auto known = watched_.find(id);
      const bool has_it_after_all =
          known != watched_.end() && known->second.restored && known->second.gone && !task->gone;
      if (known != watched_.end() && !has_it_after_all) continue;  // answered so again
      let_in_ = true;
      auto& watched = watched_[id] = {};
      within_limits(id.source, now);
      watched.live = task->task_class == TaskClass::live;
      watched.gone = task->gone;
      if (task->ttl > Duration::zero()) watched.deadline = now + task->ttl;
      if (!watched.live || watched.gone) continue;
      auto& newest = newest_[id.source];
      newest = std::max(newest, std::pair{id.epoch, id.sequence});
    }
  }
}

/// Of all connections with one key together.
void Promises::within_limits(std::uint64_t source, Time now) {
  if (!limits_) return;
  const auto identity = identity_of(source);
  const auto of_identity = [&](const auto& each) {
    return identity_of(each.first.source) == identity;
  };
  const auto unsettled = std::count_if(watched_.begin(), watched_.end(), of_identity);
  if (static_cast<std::uint64_t>(unsettled) > limits_->unsettled_max) {
    break_with(fmt::format("{} tasks of '{}' are not settled, {} are allowed", unsettled, identity,
                           limits_->unsettled_max));
  }
  auto& lately = let_in_at_[identity];
  lately.push_back(now);
  while (lately.front() + std::chrono::seconds{1} <= now) lately.pop_front();
  // What was saved up, and what was earned.
  if (static_cast<double>(lately.size()) > 2 * limits_->tasks_per_second) {
    break_with(fmt::format("{} tasks of '{}' within a second, {} are allowed", lately.size(),
                           identity, limits_->tasks_per_second));
  }
}

void Promises::owners_survive(const std::set<std::uint64_t>& on_disk) {
  said_.clear();
  let_in_at_.clear();  // each broker counts for itself
  std::erase_if(owned_, [&](const auto source) { return !on_disk.contains(source); });
}

void Promises::thief_is_answered(PeerId thief, const broker::Effects& effects) {
  for (const auto& effect : effects) {
    if (const auto* forget = std::get_if<broker::ForgetPeer>(&effect)) {
      if (forget->peer != thief) break_with("a thief has somebody forgotten");
    } else if (std::holds_alternative<broker::WriteTask>(effect)) {
      break_with("a thief gets a task admitted");
    } else if (std::holds_alternative<broker::TaskSettled>(effect)) {
      break_with("a thief ends a task");
    } else if (const auto* send = std::get_if<broker::SendTo>(&effect);
               send && send->peer == thief) {
      const auto* known = std::get_if<Known>(&send->message);
      const bool tells = std::holds_alternative<Admitted>(send->message) ||
                         std::holds_alternative<Settled>(send->message) ||
                         (known != nullptr && !known->stored.empty());
      if (tells) break_with("a thief is told of a task: " + std::string(name_of(send->message)));
    }
  }
}

void Promises::nacked(const Nack& nack) {
  auto& task = watched_[nack.id];
  const auto charge = entry(nack.reason).charge;
  if (charge == Charge::failed) ++task.nacks;
  if (charge == Charge::final) task.refused = true;
}

void Promises::settled(const TaskId& task) {
  watched_.erase(task);
  settled_lately_.push_back(task);
  if (settled_lately_.size() > options_.settled_memory) settled_lately_.pop_front();
}

void Promises::operator_orders(const Control& control, bool done) {
  if (!done) return;  // nothing of that name
  const bool pausing = control.verb == ControlVerb::pause;
  if (pausing || control.verb == ControlVerb::resume) {
    if (control.name.empty()) {
      paused_ = pausing;
    } else if (pausing) {
      paused_sources_.insert(control.name);
    } else {
      paused_sources_.erase(control.name);
    }
  } else if (control.verb == ControlVerb::cancel_task) {
    cancelled_.insert(control.tasks.begin(), control.tasks.end());
  } else if (control.verb == ControlVerb::cancel_job) {
    cancelled_jobs_.insert(control.name);
  }
}

/// What an earlier broker handed out may still come back to a task that this one has by the
/// journal, unless something else became of that hand-out.
bool Promises::counts_from_before(const Watched& watched, const LeaseId& lease) const {
  return watched.restored && lease.incarnation < options_.incarnation && watched.over < lease;
}

/// Only the lease handed out last may be closed by what its worker says, or by what came of an
/// earlier broker's.
void Promises::closed_by(const std::vector<LeasedTask>& answered, const broker::Effects& effects) {
  const auto closes = [this](const LeasedTask& answer) {
    const auto position = watched_.find(answer.id);
    return position != watched_.end() && (position->second.lease == answer.lease ||
                                          counts_from_before(position->second, answer.lease));
  };
  for (const auto& effect : effects) {
    const auto* closed = std::get_if<broker::LeaseClosed>(&effect);
    if (closed == nullptr) continue;
    if (std::none_of(answered.begin(), answered.end(), [&](const LeasedTask& answer) {
          return answer.id == closed->task && closes(answer);
        })) {
      break_with("a lease is closed by the answer to another one: " + to_string(closed->task));
    }
  }
}

void Promises::broker_sends(const Message& message, const std::vector<Content>& contents,
                            Time now) {
  if (const auto* assign = std::get_if<Assign>(&message)) {
    for (const auto& task : assign->tasks) assigned(task, now);
  } else if (const auto* outcomes = std::get_if<Outcomes>(&message)) {
    auto content = contents.begin();
    for (const auto& outcome : outcomes->outcomes) {
      const bool carries = outcome.payload.id && content != contents.end();
      ended(outcome, carries ? &*content++ : nullptr, now);
    }
  } else if (const auto* settled = std::get_if<Settled>(&message)) {
    for (const auto& task : settled->tasks) must_be_stored(task, "the broker");
  } else if (const auto* known = std::get_if<Known>(&message)) {
    for (const auto& task : known->stored) must_be_stored(task, "the broker");
  }
}

void Promises::assigned(const AssignedTask& task, Time now) {
  const std::string id = to_string(task.id);
  if (!leases_.insert(task.lease.counter).second) break_with("a lease is used again for " + id);
  if (std::count(settled_lately_.begin(), settled_lately_.end(), task.id) > 0) {
    break_with("handed out although it was settled a moment ago: " + id);
  }
  // Stored, it may be worked on again by a broker whom the sink did not answer in time.
  if (withdrawn_.contains(task.id) && !store_.contains(task.id))
    break_with("handed out, and cancelled before: " + to_string(task.id));
  if (paused_ || paused_sources_.contains(task.source))
    break_with("handed out while paused: " + id);
  const auto position = watched_.find(task.id);
  if (position == watched_.end()) {
    break_with("handed out and never admitted: " + id);
    return;
  }
  auto& watched = position->second;
  if (watched.ended) break_with("handed out after its end: " + id);
  if (watched.gone) break_with("handed out without a picture: " + id);
  if (watched.refused || watched.nacks >= options_.failed_attempts_max) {
    break_with("handed out more often than allowed: " + id);
  }
  if (watched.deadline <= now) break_with("handed out after its deadline: " + id);
  if ((watched.deadline == kNever) != (task.ttl_left == Duration::zero())) {
    break_with("the worker is told another deadline: " + id);
  }
  if (watched.live && newest_[task.id.source] != std::pair{task.id.epoch, task.id.sequence}) {
    break_with("a frame is handed out that is not the newest of its camera: " + id);
  }
  if (watched.live && task.attempt != 1) break_with("a frame is tried twice: " + id);
  watched.lease = task.lease;
}

void Promises::ended(const Outcome& outcome, const Content* content, Time now) {
  const std::string id = to_string(outcome.id);
  const auto position = watched_.find(outcome.id);
  if (position == watched_.end()) {
    // The sink's answer was lost with its connection, and the outcome is sent to the next one.
    if (!store_.contains(outcome.id)) break_with("ended and never admitted: " + id);
    return;
  }
  auto& watched = position->second;
  if (watched.ended) return;  // sent again
  watched.ended = true;
  const bool lost = outcome.status == Status::lost;
  // Of what an earlier broker had a worker may have the result, and operators may have their way.
  if (lost ? !watched.gone : watched.gone && !watched.restored) {
    break_with(fmt::format("{} is {}gone, and ended as {}", id, watched.gone ? "" : "not ",
                           to_string(outcome.status)));
  }
  if (lost && outcome.reason == Reason::unaccounted && !watched.restored) {
    break_with("unaccounted, and of this broker: " + id);
  }
  switch (outcome.status) {
    case Status::ok:
      if (content != nullptr && counts_from_before(watched, content->lease)) {
        ++from_before_;
      } else if (content == nullptr || !content->is_result || content->lease != watched.lease) {
        break_with("ended by the result of another lease: " + id);
      }
      return;
    case Status::failed:
      failed(outcome, watched);
      return;
    case Status::expired: {
      // A worker's clock may run 3 % too fast.
      const Duration early = ttl_of(outcome.id) / 20;
      if (watched.deadline == kNever || now + early < watched.deadline) {
        break_with("expired before its time: " + id);
      }
      return;
    }
    case Status::superseded:
      if (!watched.live ||
          newest_[outcome.id.source] <= std::pair{outcome.id.epoch, outcome.id.sequence}) {
        break_with("superseded by nothing: " + id);
      }
      return;
    case Status::cancelled:
      if (!cancelled_.contains(outcome.id) && !cancelled_jobs_.contains(outcome.job)) {
        break_with("cancelled by nobody: " + id);
      }
      return;
    case Status::lost:
      return;
  }
}

void Promises::failed(const Outcome& outcome, const Watched& watched) {
  const std::string id = to_string(outcome.id);
  const auto charge = entry(outcome.reason).charge;
  if (charge == Charge::final && !watched.refused) break_with("given up without cause: " + id);
  if (charge == Charge::nothing || charge == Charge::answer) {
    break_with(fmt::format("{} failed for '{}'", id, to_string(outcome.reason)));
  }
  if (watched.live) return;  // one attempt
  if (charge == Charge::failed && watched.nacks != options_.failed_attempts_max) {
    break_with(fmt::format("failed after {} attempts, not {}: {}", watched.nacks,
                           options_.failed_attempts_max, id));
  }
  if (charge == Charge::lost && outcome.attempts < options_.lost_attempts_max) {
    break_with("given up before its last attempt: " + id);
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
  // What is remembered of attempts comes on top of what was let in.
  const bool let_in = std::exchange(let_in_, false);
  if (let_in && status.backlog_bytes > options_.backlog_bytes_max && !one_alone) {
    break_with(fmt::format("the broker holds {} bytes of tasks, {} are allowed",
                           status.backlog_bytes, options_.backlog_bytes_max));
  }
  if (status.in_progress.in_all() > options_.backlog_tasks_max) {
    break_with("the broker holds more tasks than allowed");
  }
}

void Promises::broker_hears(ConnectionId from, const Message& message) {
  const auto* hello = std::get_if<Hello>(&message);
  const auto* heartbeat = std::get_if<Heartbeat>(&message);
  if (hello != nullptr && limits_) {
    for (const auto& claim : hello->sources) said_[from].insert(claim.hash);
  }
  if (hello == nullptr && heartbeat == nullptr) return;
  const auto& why = hello != nullptr ? hello->not_ready : heartbeat->not_ready;
  why.empty() ? static_cast<void>(not_ready_.erase(from))
              : static_cast<void>(not_ready_.insert(from));
}

void Promises::broker_assigns(ConnectionId to, const Message& message) {
  if (std::holds_alternative<Welcome>(message)) owned_.merge(said_[to]);
  if (std::holds_alternative<Refused>(message)) said_.erase(to);
  if (std::holds_alternative<Assign>(message) && not_ready_.contains(to)) {
    break_with("a task is assigned to a worker that is not ready");
  }
}

void Promises::worker_starts(const AssignedTask& task, const PayloadShelf& shelf) {
  const auto* content = shelf.find(task.payload.id);
  if (content == nullptr || content->task != task.id || content->is_result) {
    break_with("a task came with wrong pixels: " + to_string(task.id));
  }
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
  const auto& settled = ended.settled;
  if (ended.rejected) {
    rejected_.insert(settled.id);
    if (settled.reason != Reason::cancelled_by_operator || cancelled_jobs_.empty()) {
      break_with("rejected: " + to_string(settled.id) + " " + settled.text);
    }
    return;
  }
  must_be_stored(settled, "the producer");
}

SettledTask Promises::store(const Outcome& outcome, const PayloadShelf& shelf) {
  const auto* content = shelf.find(outcome.payload.id);
  const bool ok = outcome.status == Status::ok;
  const bool has_bytes = ok || outcome.status == Status::failed;
  if ((content != nullptr) != has_bytes) {
    break_with(fmt::format("{} came {} bytes: {}", to_string(outcome.status),
                           has_bytes ? "without" : "with", to_string(outcome.id)));
  } else if (has_bytes && (content->task != outcome.id || content->is_result != ok)) {
    break_with("an outcome came with wrong bytes: " + to_string(outcome.id));
  }
  const bool must_fail = is_poison(outcome.id) || is_refused(outcome.id) || is_deadly(outcome.id);
  const bool by_detector = outcome.reason == Reason::detector_error;
  const bool by_gate = outcome.reason == Reason::not_a_picture;
  if ((ok && must_fail) || (by_detector && !is_poison(outcome.id)) ||
      (by_gate && !is_refused(outcome.id))) {
    break_with(fmt::format("{} ended as {} ({})", to_string(outcome.id), to_string(outcome.status),
                           to_string(outcome.reason)));
  }
  const SettledTask row{outcome.id, outcome.status, outcome.reason, outcome.text};
  const auto [stored, is_first] = store_.try_emplace(outcome.id, row);
  if (is_first && row.status == Status::lost && durable_.contains(row.id)) {
    break_with("said to be durable, and lost: " + to_string(row.id));
  }
  return stored->second;
}

}  // namespace framefleet::simulation
