// Values to words: how effects and messages look in a scenario.

#include "tests/scenarios/stage.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace framefleet::scenarios {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

/// "1.5s", "0s": seconds without superfluous zeros.
std::string text_of(Duration duration) { return fmt::format("{}s", seconds(duration)); }

std::string reason_and_text(Reason reason, const std::string& text) {
  std::string line;
  if (reason != Reason::none) line += fmt::format(" {}", to_string(reason));
  if (!text.empty()) line += fmt::format(" \"{}\"", text);
  return line;
}

}  // namespace

std::string Stage::text(const TaskId& id) const {
  for (const auto& [name, hash] : sources_) {
    if (hash != id.source) continue;
    const auto epoch = id.epoch == 1 ? std::string{} : fmt::format("@{}", id.epoch);
    return fmt::format("{}{}/{}", name, epoch, id.sequence);
  }
  return to_string(id);
}

std::string Stage::text(const std::vector<TaskId>& ids) const {
  std::string line;
  for (const auto& id : ids) line += " " + text(id);
  return line;
}

std::string Stage::text(const LeaseId& id) const {
  if (id.incarnation == 1) return std::to_string(id.counter);
  return fmt::format("{}.{}", id.incarnation, id.counter);
}

std::string Stage::text(const SettledTask& settled) const {
  return fmt::format("{} {}{}", text(settled.id), to_string(settled.status),
                     reason_and_text(settled.reason, settled.text));
}

std::string Stage::text(const Outcome& outcome) const {
  std::string line = fmt::format("{} {}{} attempts={}", text(outcome.id), to_string(outcome.status),
                                 reason_and_text(outcome.reason, outcome.text), outcome.attempts);
  if (!outcome.worker.empty()) line += " worker=" + outcome.worker;
  line += fmt::format(" queued={} leased={}", text_of(outcome.queued), text_of(outcome.leased));
  if (outcome.worked > Duration::zero()) line += " worked=" + text_of(outcome.worked);
  if (outcome.task_class == TaskClass::live) line += " live";
  if (!outcome.job.empty()) line += " job=" + outcome.job;
  if (outcome.revived_from) line += " revived_from=" + text(*outcome.revived_from);
  if (outcome.payload.id) line += " with " + payload_names_.at(outcome.payload.id);
  for (const auto& attempt : outcome.history) {
    line += fmt::format("\n    attempt {} {}{}", attempt.attempt, attempt.worker,
                        reason_and_text(attempt.reason, attempt.text));
  }
  return line;
}

std::string Stage::text(const AssignedTask& task) const {
  auto line = fmt::format("{} lease={} attempt={} age={}", text(task.id), text(task.lease),
                          task.attempt, text_of(task.age));
  if (task.task_class == TaskClass::live) line += " live";
  if (task.ttl_left > Duration::zero()) line += " ttl_left=" + text_of(task.ttl_left);
  return line;
}

std::string Stage::text(const JournaledTask& task) const {
  auto line = text(task.id);
  if (task.age > Duration::zero()) line += " age=" + text_of(task.age);
  if (task.ttl_left > Duration::zero()) line += " ttl_left=" + text_of(task.ttl_left);
  if (task.attempts > 0) {
    line += fmt::format(" attempts={} failed={} lost={}", task.attempts, task.failed, task.lost);
  }
  if (task.cancelled) line += " cancelled";
  return line;
}

std::string Stage::text(const std::vector<LeasedTask>& tasks) const {
  std::string line;
  for (const auto& task : tasks)
    line += fmt::format(" {} lease={}", text(task.id), text(task.lease));
  return line;
}

std::string Stage::text(PeerId id) const {
  for (const auto& [name, peer] : peers_) {
    if (peer == id) return name;
  }
  return fmt::format("peer {}", id.value());
}

std::string Stage::text(const Message& message) const {
  std::string line(name_of(message));
  std::visit(Overloaded{
                 [&](const Welcome& m) { line += fmt::format(" incarnation={}", m.incarnation); },
                 [&](const Heartbeat& m) {
                   if (m.slots > 0) line += fmt::format(" slots={}", m.slots);
                 },
                 [&](const Refused& m) {
                   line += reason_and_text(m.reason, m.text);
                   if (m.retry > Duration::zero()) line += " retry=" + text_of(m.retry);
                 },
                 [&](const Admitted& m) {
                   for (const auto& task : m.tasks) {
                     line += " " + text(task.id) + (task.durable ? " durable" : "");
                   }
                   for (const auto& name : m.unknown_detectors) line += " unknown " + name;
                 },
                 [&](const Busy& m) {
                   line +=
                       text(m.tasks) + reason_and_text(m.reason, "") + " retry=" + text_of(m.retry);
                 },
                 [&](const Rejected& m) {
                   for (const auto& task : m.tasks) {
                     line += " " + text(task.id) + reason_and_text(task.reason, task.text);
                   }
                 },
                 [&](const Settled& m) {
                   for (const auto& task : m.tasks) line += " " + text(task);
                 },
                 [&](const Ask& m) { line += fmt::format(" asker={}{}", m.asker, text(m.tasks)); },
                 [&](const Known& m) {
                   for (const auto& task : m.stored) line += " stored " + text(task);
                   if (!m.unknown.empty()) line += " unknown" + text(m.unknown);
                 },
                 [&](const Assign& m) {
                   for (const auto& task : m.tasks) line += " " + text(task);
                 },
                 [&](const Stale& m) { line += text(m.tasks); },
                 [&](const Recall& m) { line += text(m.tasks); },
                 [&](const Outcomes& m) {
                   for (const auto& outcome : m.outcomes) line += " " + text(outcome);
                 },
                 [&](const Control& m) {
                   line += fmt::format(" asker={} {}", m.asker, to_string(m.verb));
                   if (!m.name.empty()) line += " name=" + m.name;
                   line += text(m.tasks);
                   if (m.limit > 0) line += fmt::format(" limit={}", m.limit);
                 },
                 [&](const Claimed& m) { line += fmt::format(" {}", m.number); },
                 [&](const Report& m) {
                   line += fmt::format(" asker={}{}", m.asker, reason_and_text(m.reason, m.text));
                   if (m.payload.id) line += " with " + payload_names_.at(m.payload.id);
                 },
                 [](const auto&) {},
             },
             message);
  return line;
}

std::string Stage::text(const broker::Effect& effect) const {
  return std::visit(
      Overloaded{
          [&](const broker::SendTo& e) { return text(e.peer) + " <- " + text(e.message); },
          [&](const broker::SayHeld& e) { return "say what waits for " + text(e.peer); },
          [&](const broker::ForgetPeer& e) { return "forget " + text(e.peer); },
          [&](const ReleasePayload& e) {
            const auto name = payload_names_.find(e.payload);
            return "release " + (name == payload_names_.end() ? "nothing we know" : name->second);
          },
          [&](const broker::LeaseClosed& e) {
            return fmt::format("lease closed {} queued={} leased={}{}", to_string(e.reason),
                               text_of(e.queued), text_of(e.leased),
                               e.worked == Duration::zero() ? "" : " worked=" + text_of(e.worked));
          },
          [&](const broker::TaskSettled& e) {
            return fmt::format("settled {}{} total={} storing={}", to_string(e.status),
                               reason_and_text(e.reason, ""), text_of(e.total), text_of(e.storing));
          },
          [&](const broker::Show& e) {
            return fmt::format("show {} the {} asker={}{}", text(e.peer), to_string(e.what),
                               e.asker, e.text.empty() ? "" : " \"" + e.text + "\"");
          },
          [&](const broker::JobEnded& e) { return "job ended: " + e.job; },
          [&](const broker::WorkersDying& e) {
            return fmt::format("workers are {} ({} died)", e.on ? "dying" : "well again", e.died);
          },
          [&](const broker::WriteTask& e) { return "write " + text(e.task); },
          [&](const broker::WriteAttempt& e) { return "write again " + text(e.task); },
          [&](const broker::WriteEnd& e) { return "write the end of " + text(e.task); },
          [&](const broker::Drained&) { return std::string("drained"); },
      },
      effect);
}

std::string Stage::show(const std::string& what) const {
  std::string lines;
  const auto books = [](const Account& account, const broker::InProgress& now) {
    std::string line = fmt::format(" submitted={} rejected={} admitted={}", account.submitted,
                                   account.rejected, account.admitted);
    for (std::size_t i = 0; i < kStatusCount; ++i) {
      if (account.settled.at(i) == 0) continue;
      line += fmt::format(" {}={}", to_string(static_cast<Status>(i)), account.settled.at(i));
    }
    return line + fmt::format(" in_progress={}", now.in_all());
  };
  if (what == "workers") {
    for (const auto& row : broker_.worker_rows(now_)) {
      lines += fmt::format("{}: slots={} leased={} finished={} mean_service={} silent={}{}{}{}\n",
                           row.name, row.slots, row.leased, row.finished, text_of(row.mean_service),
                           text_of(row.silent), row.draining ? " draining" : "",
                           row.not_ready.empty() ? "" : " not_ready=" + row.not_ready,
                           row.with_suspect ? " with_suspect" : "");
    }
  } else if (what == "sources") {
    for (const auto& row : broker_.source_rows(now_)) {
      const auto state = row.state.empty()
                             ? std::string{}
                             : fmt::format(" {} for {}{}", row.state, text_of(row.state_for),
                                           row.state_text.empty() ? "" : ": " + row.state_text);
      lines += fmt::format("{}: owner={} epoch={} weight={}{}{} bytes={}{}\n", row.name, row.owner,
                           row.epoch, row.weight, row.paused ? " paused" : "", state, row.bytes,
                           books(row.account, row.in_progress));
    }
  } else {
    for (const auto& row : broker_.job_rows(now_)) {
      lines +=
          fmt::format("{}: expected={} elapsed={} rate={:.3g}/s eta={}{}{}{}\n", row.name,
                      row.expected, text_of(row.elapsed), row.rate,
                      row.eta ? text_of(*row.eta) : "unknown", row.cancelled ? " cancelled" : "",
                      row.finished ? " finished" : "", books(row.account, row.in_progress));
    }
  }
  return lines;
}

std::string Stage::describe_all(const Numbers& before) {
  std::string lines;
  for (const auto& effect : effects_) lines += text(effect) + "\n";
  std::string changes;
  const auto after = numbers();
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (before[i].second == after[i].second) continue;
    changes += fmt::format("{}{} {} -> {}", changes.empty() ? "" : ", ", after[i].first,
                           before[i].second, after[i].second);
  }
  if (!changes.empty()) lines += "(" + changes + ")\n";
  return lines;
}

}  // namespace framefleet::scenarios
