// What operators ask for: looks, drains, pauses, cancels; and what only the sink can answer.

#include "broker/core/dispatcher.hpp"

#include "shared/base/assert.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::broker {
namespace {

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
      answer(drain_workers(control.name, now, out));
      return;
    case ControlVerb::drain_idlest:
      drain_idlest(from, control, now, out);
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
      forwarded_.ask_sink(from, control, sink_, out);
      return;
    case ControlVerb::reload_sources:
      ask_to_reload(from, control, out);
      return;
  }
}

Report Dispatcher::drain_workers(const std::string& name, Time now, Effects& out) {
  std::vector<PeerId> named;
  for (const auto& [peer, worker] : workers_.all()) {
    if (worker.name == name) named.push_back(peer);
  }
  if (named.empty()) return not_found("no worker is called '" + name + "'");
  for (const auto peer : named) ask_to_leave(peer, now, out);
  return done(std::to_string(named.size()) + (named.size() == 1 ? " worker" : " workers") +
              " called '" + name + "' will finish and leave");
}

/// Which worker can be spared nobody but we can know: what is handed out and what is free changes
/// with every message.
void Dispatcher::drain_idlest(PeerId from, const Control& control, Time now, Effects& out) {
  const auto leaving = workers_.idlest(std::max<std::uint64_t>(1, control.limit), control.names);
  if (leaving.empty()) {
    Report report = not_found("no worker is left that could be drained");
    report.asker = control.asker;
    out.push_back(SendTo{from, std::move(report)});
    return;
  }
  Show shown{from, control.asker, ControlVerb::drain_idlest, {}, {}};
  std::vector<PeerId> peers;
  for (const auto* worker : leaving) {
    shown.text += (shown.names.empty() ? "'" : ", '") + worker->name + "'";
    shown.names.push_back(worker->name);
    peers.push_back(worker->peer);
  }
  shown.text += " will finish and leave";
  for (const auto peer : peers) ask_to_leave(peer, now, out);
  out.push_back(std::move(shown));
}

/// It is given nothing more from this moment on, so that it has nothing to give back.
void Dispatcher::ask_to_leave(PeerId worker, Time now, Effects& out) {
  out.push_back(SendTo{worker, Drain{}});
  workers_.update(worker, [](Worker& asked) {
    asked.asked_to_leave = !asked.draining;
    asked.draining = true;
  });
  note_service(worker, now);
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
  tasks_.for_each([&](const Task& task) {
    if (task.job == job && task.state != TaskState::storing) ids.push_back(task.id);
  });
  std::sort(ids.begin(), ids.end());
  for (const auto& id : ids) cancel(task_at(id), now, out);
  return done(tasks(ids.size()) + " of job '" + name +
              "' cancelled; what is submitted for it from now on is rejected");
}

Report Dispatcher::cancel_tasks(const std::vector<TaskId>& ids, Time now, Effects& out) {
  std::uint64_t cancelled = 0;
  std::string late;
  for (const auto& id : ids) {
    auto* const task = tasks_.find(id);
    if (task != nullptr && cancel(*task, now, out)) {
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
  if (is_kept(task)) {
    auto record = journaled(task, now);
    record.cancelled = true;
    out.push_back(WriteAttempt{std::move(record)});
  }
  if (task.state == TaskState::leased) take_back(task, Reason::cancelled_by_operator, now, out);
  end_unworked(task, Status::cancelled, Reason::cancelled_by_operator, now, out);
  return true;
}

/// Those called so; of all that have cameras where no name is given.
void Dispatcher::ask_to_reload(PeerId from, const Control& control, Effects& out) {
  std::vector<ForwardedControls::Producer> asked;
  for (const auto& [id, peer] : peers_) {
    const auto& hello = peer.hello;
    const bool has_cameras = std::ranges::any_of(
        hello.sources, [](const SourceClaim& claim) { return !claim.state.empty(); });
    const bool meant = control.name.empty() ? has_cameras : hello.name == control.name;
    if (hello.role == Role::producer && meant) asked.push_back({id, hello.name});
  }
  forwarded_.ask_producers(from, control, asked, out);
}

}  // namespace framefleet::broker
