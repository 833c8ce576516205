#include "worker/core/session.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::worker {
namespace {

/// A result that is not settled after this long is sent once more: the broker may have missed it,
/// or its `settled` may have been lost.
constexpr Duration kResendInterval = std::chrono::seconds{5};

}  // namespace

Session::Session(const Hello& hello, LinkOptions options)
    : link_(hello, options), slots_(hello.slots) {}

void Session::receive(Message message, Time now, Effects& out) {
  if (link_.receive(message, now, out) == LinkEvent::up) on_up(now, out);
  if (auto* assign = std::get_if<Assign>(&message)) {
    for (auto& task : assign->tasks) take(std::move(task), out);
  } else if (const auto* settled = std::get_if<Settled>(&message)) {
    for (const auto& task : settled->tasks) on_settled(task.id, out);
  } else if (const auto* stale = std::get_if<Stale>(&message)) {
    for (const auto& task : stale->tasks) on_stale(task, out);
  } else {
    for_each_payload(message, [&out](const Payload& payload) {
      if (payload.id) out.push_back(ReleasePayload{payload.id});
    });
  }
  leave_when_done(now, out);
}

/// A broker took us in: the same one, which may have missed what we sent, or a new one.
void Session::on_up(Time now, Effects& out) {
  const bool same_broker = link_.incarnation() == incarnation_;
  incarnation_ = link_.incarnation();
  for (auto& [lease, work] : works_) {
    if (work.state == State::unsettled) send_result(work, now, out);
    // A new broker does not know the leases of the old one; it hands the tasks out again.
    if (work.state == State::running && !same_broker) give_up(work, out);
  }
  if (draining_) out.push_back(Send{Drain{}});
}

void Session::take(AssignedTask task, Effects& out) {
  const auto busy = count(State::running) + count(State::abandoned);
  const auto lease = task.lease;
  if (works_.contains(lease)) {  // a copy of a message
    if (task.payload.id) out.push_back(ReleasePayload{task.payload.id});
    return;
  }
  if (draining_ || busy >= slots_) {
    if (task.payload.id) out.push_back(ReleasePayload{task.payload.id});
    out.push_back(Send{Release{{{task.id, lease}}}});
    return;
  }
  out.push_back(StartTask{task});
  works_.emplace(lease, Work{std::move(task), State::running, {}});
}

void Session::finished(const LeaseId& lease, Payload payload, Duration elapsed, Time now,
                       Effects& out) {
  const auto position = works_.find(lease);
  if (position == works_.end()) {
    if (payload.id) out.push_back(ReleasePayload{payload.id});
    return;
  }
  auto& work = position->second;
  if (work.task.payload.id) out.push_back(ReleasePayload{work.task.payload.id});
  work.task.payload = {};
  if (work.state == State::abandoned) {
    if (payload.id) out.push_back(ReleasePayload{payload.id});
    works_.erase(position);
  } else {
    work.state = State::unsettled;
    work.result = {work.task.id, lease, work.task.token, elapsed, payload};
    ++finished_;
    send_result(work, now, out);
  }
  leave_when_done(now, out);
}

void Session::send_result(Work& work, Time now, Effects& out) {
  work.send_again_at = now + kResendInterval;
  if (link_.up()) out.push_back(Send{work.result});
}

void Session::failed(const LeaseId& lease, Reason reason, const std::string& text, Time now,
                     Effects& out) {
  const auto position = works_.find(lease);
  if (position == works_.end()) return;
  auto& work = position->second;
  if (work.task.payload.id) out.push_back(ReleasePayload{work.task.payload.id});
  if (work.state == State::running) {
    ++nacked_;
    if (link_.up()) out.push_back(Send{Nack{work.task.id, lease, reason, text}});
  }
  works_.erase(position);
  leave_when_done(now, out);
}

void Session::overdue(const LeaseId& lease, Reason reason, const std::string& text, Time now,
                      Effects& out) {
  const auto position = works_.find(lease);
  if (position == works_.end() || position->second.state != State::running) return;
  ++nacked_;
  if (link_.up()) out.push_back(Send{Nack{position->second.task.id, lease, reason, text}});
  give_up(position->second, out);
  leave_when_done(now, out);
}

void Session::give_up(Work& work, Effects& out) {
  work.state = State::abandoned;
  out.push_back(AbandonTask{work.task.lease});
}

void Session::on_settled(const TaskId& task, Effects& out) {
  const auto position = std::find_if(works_.begin(), works_.end(), [&task](const auto& entry) {
    return entry.second.state == State::unsettled && entry.second.task.id == task;
  });
  if (position == works_.end()) return;
  if (const auto payload = position->second.result.payload.id) {
    out.push_back(ReleasePayload{payload});
  }
  works_.erase(position);
}

void Session::on_stale(const LeasedTask& stale, Effects& out) {
  const auto position = works_.find(stale.lease);
  if (position == works_.end()) return;
  ++stale_;
  auto& work = position->second;
  if (work.state == State::running) {
    give_up(work, out);
  } else if (work.state == State::unsettled) {
    if (work.result.payload.id) out.push_back(ReleasePayload{work.result.payload.id});
    works_.erase(position);
  }
}

void Session::drain(Time now, Effects& out) {
  if (draining_) return;
  draining_ = true;
  if (link_.up()) out.push_back(Send{Drain{}});
  leave_when_done(now, out);
}

void Session::tick(Time now, Effects& out) {
  if (link_.tick(now, out) == LinkEvent::beat_due) link_.beat(leases_to_vouch_for(), now, out);
  for (auto& [lease, work] : works_) {
    if (work.state == State::unsettled && work.send_again_at <= now) send_result(work, now, out);
  }
  leave_when_done(now, out);
}

Time Session::next_deadline() const {
  Time next = link_.next_deadline();
  for (const auto& [lease, work] : works_) {
    if (work.state == State::unsettled) next = std::min(next, work.send_again_at);
  }
  return next;
}

void Session::leave_when_done(Time now, Effects& out) {
  if (draining_ && count(State::running) == 0 && count(State::unsettled) == 0) {
    link_.leave(now, out);
  }
}

std::vector<LeaseId> Session::leases_to_vouch_for() const {
  std::vector<LeaseId> leases;
  for (const auto& [lease, work] : works_) {
    if (work.state == State::running) leases.push_back(lease);
  }
  return leases;
}

std::uint64_t Session::count(State state) const {
  return static_cast<std::uint64_t>(
      std::count_if(works_.begin(), works_.end(),
                    [state](const auto& entry) { return entry.second.state == state; }));
}

SessionStats Session::stats() const {
  return {.running = count(State::running),
          .abandoned = count(State::abandoned),
          .unsettled = count(State::unsettled),
          .finished = finished_,
          .nacked = nacked_,
          .stale = stale_,
          .link_losses = link_.losses(),
          .link_up = link_.up(),
          .draining = draining_};
}

}  // namespace framefleet::worker
