#include "cli/supervisor.hpp"

#include "shared/base/assert.hpp"
#include "shared/base/result.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace framefleet::cli {
namespace {

/// Codes that speak of options, names, folders and addresses: a new start would end the same way.
bool is_final(const ExitStatus& status) {
  constexpr std::array kFinal{exit_code::kUsage,       exit_code::kNoInput,
                              exit_code::kUnavailable, exit_code::kCannotCreate,
                              exit_code::kDiskError,   exit_code::kConfig};
  return status.signal == 0 && std::find(kFinal.begin(), kFinal.end(), status.code) != kFinal.end();
}

}  // namespace

std::string to_string(const ChildName& child) {
  switch (child.kind) {
    case ChildKind::producer:
      return "producer";
    case ChildKind::broker:
      return "broker";
    case ChildKind::sink:
      return "sink";
    case ChildKind::worker:
      return "worker-" + std::to_string(child.number);
  }
  return {};
}

std::string to_string(const ExitStatus& status) {
  return status.signal != 0 ? "signal " + std::to_string(status.signal)
                            : "exit code " + std::to_string(status.code);
}

Supervisor::Supervisor(const SupervisorOptions& options) : options_(options) {
  const auto add = [this](ChildName name) {
    children_.push_back(Child{.name = name, .policy = RestartPolicy(options_.restart)});
  };
  if (!options_.workers_alone) {
    add({ChildKind::producer, 0});
    add({ChildKind::broker, 0});
    add({ChildKind::sink, 0});
  }
  for (std::uint32_t number = 1; number <= options_.workers; ++number) {
    add({ChildKind::worker, number});
  }
}

Supervisor::Child& Supervisor::find(const ChildName& name) {
  const auto at = std::find_if(children_.begin(), children_.end(),
                               [&](const Child& child) { return child.name == name; });
  FRAMEFLEET_ASSERT(at != children_.end());
  return *at;
}

void Supervisor::start(Child& child, Time now, SupervisorEffects& effects) {
  child.state = State::running;
  child.started_at = now;
  child.leaving = false;
  effects.push_back(Start{child.name});
}

void Supervisor::begin(Time now, SupervisorEffects& effects) {
  if (options_.workers_alone) {
    planned(now, effects);
  } else {
    start(find({ChildKind::producer, 0}), now, effects);
  }
}

void Supervisor::planned(Time now, SupervisorEffects& effects) {
  if (phase_ != Phase::planning) return;
  phase_ = Phase::working;
  for (Child& child : children_) {
    if (child.name.kind != ChildKind::producer) start(child, now, effects);
  }
}

void Supervisor::exited(const ChildName& name, const ExitStatus& status, Time now,
                        SupervisorEffects& effects) {
  Child& child = find(name);
  FRAMEFLEET_ASSERT(child.state == State::running);
  child.state = State::absent;
  switch (phase_) {
    case Phase::planning:
    case Phase::working:
    case Phase::draining:
      if (name.kind == ChildKind::producer) {
        producer_ended(status, now, effects);
      } else if (!options_.scales || (!child.leaving && status != ExitStatus{})) {
        fleet_member_died(child, status, now, effects);
      }
      return;
    case Phase::workers_leaving:
      // Everything is settled, and nobody is left for the workers to say goodbye to.
      if (name.kind != ChildKind::worker) kill(ChildKind::worker, effects);
      break;
    case Phase::broker_leaving:
    case Phase::sink_leaving:
    case Phase::aborting:
    case Phase::stopping:
      break;
    case Phase::ended:
      FRAMEFLEET_ASSERT(false);
  }
  advance(now, effects);
}

void Supervisor::producer_ended(const ExitStatus& status, Time now, SupervisorEffects& effects) {
  // Killed after its time, or ended by our SIGTERM before it could catch it: the drain is over.
  const bool drained = phase_ == Phase::draining && status.signal != 0;
  const bool done = status.signal == 0 &&
                    (status.code == exit_code::kOk || status.code == exit_code::kSomeFailed);
  if (done && phase_ == Phase::planning) {
    abort(exit_code::kInternal, "the producer ended without a plan", now, effects);
    verdict_.culprit = ChildName{ChildKind::producer, 0};
    return;
  }
  if (drained) {
    verdict_.exit_code = verdict_.killed.empty() ? exit_code::kOk : exit_code::kSomeFailed;
  } else if (done) {
    verdict_.exit_code = status.code;
  } else {
    verdict_.exit_code = status.signal == 0 ? status.code : exit_code::kInternal;
    verdict_.cause = "the producer ended with " + to_string(status);
    verdict_.culprit = ChildName{ChildKind::producer, 0};
  }
  leave(now, effects);
}

void Supervisor::fleet_member_died(Child& child, const ExitStatus& status, Time now,
                                   SupervisorEffects& effects) {
  const std::string what = "the " + to_string(child.name) + " ended with " + to_string(status);
  const ChildName name = child.name;
  if (is_final(status) && options_.workers_alone) {  // the others have work to finish
    verdict_.exit_code = status.code;
    verdict_.cause = what;
    verdict_.culprit = name;
    leave(now, effects);
    return;
  }
  if (is_final(status)) {
    abort(status.code, what, now, effects);
    verdict_.culprit = name;
    return;
  }
  const auto delay = child.policy.died(now - child.started_at, settled_);
  if (!delay) {
    abort(exit_code::kInternal,
          what + ", " + std::to_string(options_.restart.early_deaths_max) +
              " times in a row, each soon after its start",
          now, effects);
    verdict_.culprit = name;
    return;
  }
  child.state = State::waiting;
  child.restart_at = now + *delay;
  effects.push_back(RestartPlanned{name, status, *delay});
}

void Supervisor::not_started(const ChildName& child, const Error& error, Time now,
                             SupervisorEffects& effects) {
  abort(error.exit_code, error.text, now, effects);
  exited(child, ExitStatus{.code = error.exit_code, .signal = 0}, now, effects);
}

void Supervisor::abort(int code, std::string cause, Time now, SupervisorEffects& effects) {
  if (phase_ == Phase::aborting || phase_ == Phase::stopping || phase_ == Phase::ended) return;
  verdict_.exit_code = code;
  verdict_.cause = std::move(cause);
  phase_ = Phase::aborting;
  phase_deadline_ = now + options_.abort_timeout;
  forget_restarts();
  for (const Child& child : children_) {
    if (child.state == State::running) effects.push_back(Terminate{child.name});
  }
  advance(now, effects);
}

void Supervisor::interrupt(Time now, SupervisorEffects& effects) {
  const bool first = !asked_to_stop_;
  asked_to_stop_ = true;
  switch (phase_) {
    case Phase::planning:
    case Phase::working:
      verdict_.interrupted = true;
      if (options_.workers_alone) {
        leave(now, effects);
        return;
      }
      phase_ = Phase::draining;
      phase_deadline_ = now + options_.drain_timeout;
      terminate(ChildKind::producer, effects);
      return;
    case Phase::draining:
      break;
    case Phase::workers_leaving:
      if (first) return;  // They are leaving already.
      if (options_.workers_alone) {
        abort(exit_code::kSomeFailed, "told to stop before its workers had finished", now, effects);
        return;
      }
      break;
    case Phase::broker_leaving:
    case Phase::sink_leaving:
    case Phase::aborting:
      if (first) return;  // They are leaving already.
      break;
    case Phase::stopping:
    case Phase::ended:
      return;
  }
  if (phase_ == Phase::draining) verdict_.exit_code = exit_code::kSomeFailed;
  phase_ = Phase::stopping;
  phase_deadline_ = kNever;
  forget_restarts();
  kill_all(effects);
  advance(now, effects);
}

void Supervisor::leave(Time now, SupervisorEffects& effects) {
  phase_ = Phase::workers_leaving;
  phase_deadline_ = now + options_.drain_timeout;
  forget_restarts();
  const bool is_served = any_running(ChildKind::broker) && any_running(ChildKind::sink);
  if (is_served || options_.workers_alone) {
    terminate(ChildKind::worker, effects);
  } else {
    kill(ChildKind::worker, effects);  // What they have could not be settled any more.
  }
  advance(now, effects);
}

void Supervisor::advance(Time now, SupervisorEffects& effects) {
  if (phase_ == Phase::workers_leaving && !any_running(ChildKind::worker)) {
    phase_ = Phase::broker_leaving;
    phase_deadline_ = now + options_.drain_timeout;
    terminate(ChildKind::broker, effects);
  }
  if (phase_ == Phase::broker_leaving && !any_running(ChildKind::broker)) {
    phase_ = Phase::sink_leaving;
    phase_deadline_ = now + options_.drain_timeout;
    terminate(ChildKind::sink, effects);
  }
  const bool last_phase =
      phase_ == Phase::sink_leaving || phase_ == Phase::aborting || phase_ == Phase::stopping;
  if (last_phase && !any_running()) {
    phase_ = Phase::ended;
    phase_deadline_ = kNever;
  }
}

void Supervisor::forget_restarts() {
  for (Child& child : children_) {
    if (child.state == State::waiting) child.state = State::absent;
  }
}

bool Supervisor::any_running(ChildKind kind) const {
  return std::any_of(children_.begin(), children_.end(), [&](const Child& child) {
    return child.name.kind == kind && child.state == State::running;
  });
}

bool Supervisor::any_running() const {
  return std::any_of(children_.begin(), children_.end(),
                     [](const Child& child) { return child.state == State::running; });
}

void Supervisor::terminate(ChildKind kind, SupervisorEffects& effects) {
  for (const Child& child : children_) {
    if (child.name.kind == kind && child.state == State::running) {
      effects.push_back(Terminate{child.name});
    }
  }
}

void Supervisor::kill(ChildKind kind, SupervisorEffects& effects) {
  for (const Child& child : children_) {
    if (child.name.kind == kind && child.state == State::running) {
      effects.push_back(Kill{child.name});
    }
  }
}

void Supervisor::kill_all(SupervisorEffects& effects) {
  for (const Child& child : children_) {
    if (child.state == State::running) effects.push_back(Kill{child.name});
  }
}

void Supervisor::deadline_passed(Time now, SupervisorEffects& effects) {
  phase_deadline_ = kNever;
  const auto give_up_on = [&](ChildKind kind) {
    for (const Child& child : children_) {
      if (child.name.kind != kind || child.state != State::running) continue;
      verdict_.killed.push_back(child.name);
      effects.push_back(Kill{child.name});
    }
  };
  switch (phase_) {
    case Phase::draining:
      give_up_on(ChildKind::producer);
      break;
    case Phase::workers_leaving:
      give_up_on(ChildKind::worker);
      break;
    case Phase::broker_leaving:
      give_up_on(ChildKind::broker);
      break;
    case Phase::sink_leaving:
      give_up_on(ChildKind::sink);
      break;
    case Phase::aborting:
      kill_all(effects);
      break;
    case Phase::planning:
    case Phase::working:
    case Phase::stopping:
    case Phase::ended:
      FRAMEFLEET_ASSERT(false);
  }
  advance(now, effects);
}

void Supervisor::tick(Time now, SupervisorEffects& effects) {
  if (phase_deadline_ <= now) deadline_passed(now, effects);
  if (phase_ != Phase::working && phase_ != Phase::draining) return;
  for (Child& child : children_) {
    if (child.state != State::waiting || child.restart_at > now) continue;
    ++child.restarts;
    start(child, now, effects);
  }
}

void Supervisor::start_workers(std::uint32_t count, Time now, SupervisorEffects& effects) {
  if (phase_ != Phase::working) return;
  std::uint32_t number = 0;
  for (Child& child : children_) {
    if (child.name.kind != ChildKind::worker) continue;
    number = child.name.number;
    if (count == 0 || child.state != State::absent) continue;
    child.policy = RestartPolicy(options_.restart);
    start(child, now, effects);
    --count;
  }
  for (; count > 0; --count) {
    const ChildName name{ChildKind::worker, ++number};
    children_.push_back(Child{.name = name, .policy = RestartPolicy(options_.restart)});
    start(children_.back(), now, effects);
  }
}

std::uint32_t Supervisor::give_up_waiting(std::uint32_t count) {
  std::uint32_t given_up = 0;
  for (Child& child : children_) {
    const bool is_waiting = child.name.kind == ChildKind::worker && child.state == State::waiting;
    if (given_up == count || !is_waiting) continue;
    child.state = State::absent;
    ++given_up;
  }
  return given_up;
}

void Supervisor::asked_to_leave(const std::string& worker) {
  for (Child& child : children_) {
    const bool is_meant = child.state == State::running && to_string(child.name) == worker;
    child.leaving |= is_meant;
  }
}

std::uint32_t Supervisor::workers() const {
  return static_cast<std::uint32_t>(
      std::count_if(children_.begin(), children_.end(), [](const Child& child) {
        return child.name.kind == ChildKind::worker && child.state != State::absent &&
               !child.leaving;
      }));
}

std::vector<std::string> Supervisor::staying_workers() const {
  std::vector<std::string> names;
  for (const Child& child : children_) {
    const bool is_running = child.name.kind == ChildKind::worker && child.state == State::running;
    if (is_running && !child.leaving) names.push_back(to_string(child.name));
  }
  return names;
}

Time Supervisor::next_deadline() const {
  Time next = phase_deadline_;
  for (const Child& child : children_) {
    if (child.state == State::waiting) next = std::min(next, child.restart_at);
  }
  return next;
}

std::vector<Supervisor::RestartCount> Supervisor::restarts() const {
  std::vector<RestartCount> counts;
  for (const Child& child : children_) {
    if (child.restarts > 0) counts.push_back({child.name, child.restarts});
  }
  return counts;
}

}  // namespace framefleet::cli
