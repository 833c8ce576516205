// What operators ask for: looks, drains, pauses, cancels; and what only the sink can answer.

#include "broker/core/dispatcher.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::broker {
namespace {

/// Questions about dead letters that wait for the sink, of all operators: far more than people ask
/// at once, and one exported picture each is what a broker can spare.
constexpr std::size_t kOpenControlsMax = 64;

Report done(std::string text) { return {0, Reason::none, std::move(text), {}}; }
Report not_found(std::string text) { return {0, Reason::not_found, std::move(text), {}}; }

std::string tasks(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " task" : " tasks");
}

}  // namespace

void Dispatcher::on_control(PeerId from, const Control& control, Time now, Effects& out) {
  const auto answer = [&](Report report) {
    report.asker = control.asker;
    out.push_back(SendTo{from, std::move(report)});
  };
  // What survives the broker is said when it does.
  const auto answer_once_done = [&](Report report) {
    report.asker = control.asker;
    answer_once_written(from, std::move(report), out);
  };
  switch (control.verb) {
    case ControlVerb::status:
    case ControlVerb::workers:
    case ControlVerb::sources:
    case ControlVerb::jobs:
      out.push_back(Show{from, control.asker, control.verb});
      return;
    case ControlVerb::drain_worker:
      answer(drain_workers(control.name, out));
      return;
    case ControlVerb::drain_broker:
      answer(done("the broker takes nothing new and leaves when it is empty"));
      drain(out);
      return;
    case ControlVerb::pause:
    case ControlVerb::resume:
      answer_once_done(pause_or_resume(control, now));
      assign_all(now, out);
      return;
    case ControlVerb::cancel_job:
      answer_once_done(cancel_job(control.name, now, out));
      assign_all(now, out);
      return;
    case ControlVerb::cancel_task:
      answer_once_done(cancel_tasks(control.tasks, now, out));
      assign_all(now, out);
      return;
    case ControlVerb::dead_list:
    case ControlVerb::dead_show:
    case ControlVerb::dead_export:
    case ControlVerb::dead_purge:
      ask_sink(from, control, out);
      return;
  }
}

Report Dispatcher::drain_workers(const std::string& name, Effects& out) {
  std::vector<PeerId> named;
  for (const auto& [peer, worker] : workers_.all()) {
    if (worker.name == name) named.push_back(peer);
  }
  if (named.empty()) return not_found("no worker is called '" + name + "'");
  for (const auto peer : named) out.push_back(SendTo{peer, Drain{}});
  return done(std::to_string(named.size()) + (named.size() == 1 ? " worker" : " workers") +
              " called '" + name + "' will finish and leave");
}

Report Dispatcher::pause_or_resume(const Control& control, Time now) {
  const bool pausing = control.verb == ControlVerb::pause;
  const std::string word = pausing ? "paused" : "resumed";
  unroutable_check_at_ = now;  // what was paused was not looked at
  if (control.name.empty()) {
    paused_ = pausing;
    fleet_changed_ = true;
    return done("the fleet is " + word);
  }
  auto* const source = ledger_.find_source(control.name);
  if (source == nullptr) return not_found("no source is called '" + control.name + "'");
  pausing ? backlog_.pause(*source) : backlog_.resume(*source);
  ledger_.note(*source);
  return done("source '" + control.name + "' is " + word);
}

Report Dispatcher::cancel_job(const std::string& name, Time now, Effects& out) {
  auto* const job = ledger_.find_job(name);
  if (job == nullptr) return not_found("no job is called '" + name + "'");
  job->cancelled = true;
  ledger_.note(job);
  std::vector<TaskId> ids;  // in an order that no hash decides
  for (const auto& [id, task] : tasks_) {
    if (task.job == job && task.state != TaskState::storing) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  for (const auto& id : ids) cancel(task_at(id), now, out);
  return done(tasks(ids.size()) + " of job '" + name +
              "' cancelled; what is submitted for it from now on is rejected");
}

Report Dispatcher::cancel_tasks(const std::vector<TaskId>& ids, Time now, Effects& out) {
  std::uint64_t cancelled = 0;
  std::string late;
  for (const auto& id : ids) {
    const auto position = tasks_.find(id);
    if (position != tasks_.end() && cancel(position->second, now, out)) {
      ++cancelled;
    } else {
      late += " " + to_string(id);
    }
  }
  if (cancelled == 0)
    return not_found("none of these can be cancelled, they have ended or never were:" + late);
  return done(tasks(cancelled) + " cancelled" +
              (late.empty() ? std::string{} : "; ended before, or never were:" + late));
}

/// False when its end is decided already: the first outcome is the outcome.
bool Dispatcher::cancel(Task& task, Time now, Effects& out) {
  if (task.state == TaskState::storing) return false;
  if (is_kept(task.task_class)) {
    auto record = journaled(task, now);
    record.cancelled = true;
    out.push_back(WriteAttempt{std::move(record)});
  }
  if (task.state == TaskState::leased) take_back(task, Reason::cancelled_by_operator, now, out);
  end_unworked(task, Status::cancelled, Reason::cancelled_by_operator, now, out);
  return true;
}

void Dispatcher::ask_sink(PeerId from, const Control& control, Effects& out) {
  if (!sink_) {
    out.push_back(SendTo{from, Report{control.asker,
                                      Reason::no_sink,
                                      "no sink is in service, and it keeps the dead letters",
                                      {}}});
    return;
  }
  if (controls_.size() >= kOpenControlsMax) {
    out.push_back(SendTo{from, Report{control.asker,
                                      Reason::sink_slow,
                                      "too many questions wait for the sink; ask again later",
                                      {}}});
    return;
  }
  auto forwarded = control;
  forwarded.asker = ++ask_numbers_;
  controls_[forwarded.asker] = {from, control.asker};
  out.push_back(SendTo{sink_, std::move(forwarded)});
}

void Dispatcher::on_report(const Report& report, Effects& out) {
  const auto pending = controls_.find(report.asker);
  if (pending != controls_.end()) {
    auto forwarded = report;
    forwarded.asker = pending->second.asker;
    out.push_back(SendTo{pending->second.client, std::move(forwarded)});
    controls_.erase(pending);
  }
  if (report.payload.id) out.push_back(ReleasePayload{report.payload.id});
}

/// Of a client that left nobody waits for the answer; of a sink that left none will come.
void Dispatcher::forget_controls(PeerId peer, Effects& out) {
  if (peer == sink_) {
    for (const auto& [number, pending] : controls_) {
      out.push_back(
          SendTo{pending.client,
                 Report{pending.asker, Reason::no_sink, "the sink left before it answered", {}}});
    }
    controls_.clear();
  } else {
    std::erase_if(controls_, [peer](const auto& entry) { return entry.second.client == peer; });
  }
}

}  // namespace framefleet::broker
