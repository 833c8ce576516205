#include "worker/core/session.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::worker {
namespace {

/// A result that is not settled after this long is sent once more: the broker may have missed it,
/// or its `settled` may have been lost.
constexpr Duration kResendInterval = std::chrono::seconds{5};

void release(const Payload& payload, Effects& out) {
  if (payload.id) out.push_back(ReleasePayload{payload.id});
}

}  // namespace

Session::Session(const Hello& hello, LinkOptions options, std::size_t line_max)
    : link_(hello, options), slots_(hello.slots), line_max_(line_max) {}

void Session::receive(Message message, Time now, Effects& out) {
  if (link_.receive(message, now, out) == LinkEvent::up) on_up(now, out);
  if (auto* assign = std::get_if<Assign>(&message)) {
    for (auto& task : assign->tasks) take(std::move(task), now, out);
  } else if (const auto* settled = std::get_if<Settled>(&message)) {
    for (const auto& task : settled->tasks) on_settled(task.id, out);
  } else if (const auto* stale = std::get_if<Stale>(&message)) {
    for (const auto& task : stale->tasks) on_stale(task, out);
  } else if (const auto* recall = std::get_if<Recall>(&message)) {
    on_recall(*recall, out);
  } else if (std::holds_alternative<Drain>(message)) {
    drain(now, out);
  } else {
    for_each_payload(message, [&out](const Payload& payload) { release(payload, out); });
  }
  leave_when_done(now, out);
}

/// A broker took us in: the same one, which may have missed what we sent, or a new one.
void Session::on_up(Time now, Effects& out) {
  const bool same_broker = link_.incarnation() == incarnation_;
  incarnation_ = link_.incarnation();
  // A new broker does not know the leases of the old one; it hands the tasks out again.
  while (!same_broker && !queue_.empty()) unqueue(queue_.front(), out);
  if (!same_broker && !line_.empty()) {
    take_back_the_line(out);
    while (!line_.empty()) set_state(works_.at(line_.front()), State::abandoned);
  }
  for (auto& [lease, work] : works_) {
    if (work.state == State::unsettled) send_result(work, now, out);
    if (work.state == State::running && !same_broker) give_up(work, out);
  }
  if (draining_) out.push_back(Send{Drain{}});
}

void Session::take(AssignedTask task, Time now, Effects& out) {
  const auto lease = task.lease;
  if (works_.contains(lease)) {  // a copy of a message
    release(task.payload, out);
    return;
  }
  if (draining_ || !link_.not_ready().empty() || (!slot_is_free() && !may_wait(task))) {
    release(task.payload, out);
    out.push_back(Send{Release{{{task.id, lease}}}});
    return;
  }
  const Time deadline = task.ttl_left > Duration::zero() ? now + task.ttl_left : kNever;
  works_.emplace(lease, Work{std::move(task), State::queued, deadline, {}});
  ++count(State::queued);
  queue_.push_back(lease);
  start_queued(now, out);
}

/// Whether it was assigned ahead, or to a slot that will soon be free: not to one that the broker
/// takes for free while an abandoned run has it.
bool Session::may_wait(const AssignedTask& task) const {
  const auto waiting = line_.size() + queue_.size();
  const auto known_to_broker = count(State::running) + waiting;
  if (queue_.size() < taken_ && known_to_broker + taken_ >= slots_) return true;
  return task.task_class == TaskClass::batch && known_to_broker >= slots_ && waiting < kAheadMax;
}

/// While a slot is taken, or to be taken, for something else, the pool's line stays as it is: what
/// is lined up gets the next slot that frees.
bool Session::may_line_up(const Work& work) const {
  const auto in_pool = count(State::running) + count(State::abandoned) + count(State::lined_up);
  return work.task.task_class == TaskClass::batch && work.deadline == kNever && taken_ == 0 &&
         !slot_wanted_ && in_pool < slots_ + line_max_;
}

/// A slot has freed, or may have: the pool has begun the next one of its line by itself.
void Session::start_queued(Time now, Effects& out) {
  while (!line_.empty() && slot_is_free()) set_state(works_.at(line_.front()), State::running);
  while (!queue_.empty()) {
    auto& work = works_.at(queue_.front());
    const bool starts = slot_is_free() && !slot_wanted_;
    if (!starts && !may_line_up(work)) return;
    if (work.deadline <= now) {
      nack({work.task.id, work.task.lease}, Reason::deadline_passed, "", out);
      unqueue(work.task.lease, out);
      continue;
    }
    queue_.pop_front();
    hand_to_pool(work, starts ? State::running : State::lined_up, out);
  }
}

void Session::hand_to_pool(Work& work, State state, Effects& out) {
  set_state(work, state);
  StartTask start{std::move(work.task)};
  work.task = {};
  work.task.id = start.task.id;
  work.task.lease = start.task.lease;
  work.task.token = std::exchange(start.task.token, {});
  work.task.payload = start.task.payload;
  out.push_back(std::move(start));
}

/// Those that wait for a slot in vain.
void Session::nack_expired(Time now, Effects& out) {
  for (std::size_t i = 0; i < queue_.size();) {
    const auto& work = works_.at(queue_[i]);
    if (work.deadline > now) {
      ++i;
      continue;
    }
    nack({work.task.id, work.task.lease}, Reason::deadline_passed, "", out);
    unqueue(work.task.lease, out);
  }
}

/// Nothing more is known of a task that was queued. `lease` is a copy: the queue loses its own.
void Session::unqueue(LeaseId lease, Effects& out) {
  const auto position = works_.find(lease);
  release(position->second.task.payload, out);
  forget(position);
  std::erase(queue_, lease);
}

void Session::take_back_the_line(Effects& out) {
  if (!line_.empty()) out.push_back(TakeBack{{line_.begin(), line_.end()}});
}

void Session::release_all_queued(Effects& out) {
  take_back_the_line(out);
  if (queue_.empty()) return;
  Release back;
  while (!queue_.empty()) {
    const LeaseId lease = queue_.front();
    back.tasks.push_back({works_.at(lease).task.id, lease});
    unqueue(lease, out);
  }
  if (link_.up()) out.push_back(Send{std::move(back)});
}

void Session::on_recall(const Recall& recall, Effects& out) {
  Release back;
  TakeBack from_pool;
  for (const auto& task : recall.tasks) {
    const auto position = works_.find(task.lease);
    if (position == works_.end()) continue;
    if (position->second.state == State::lined_up) from_pool.leases.push_back(task.lease);
    if (position->second.state != State::queued) continue;
    back.tasks.push_back({position->second.task.id, task.lease});
    unqueue(task.lease, out);
  }
  if (!back.tasks.empty()) out.push_back(Send{std::move(back)});
  if (!from_pool.leases.empty()) out.push_back(std::move(from_pool));
}

void Session::taken_back(const std::vector<LeaseId>& leases, Time now, Effects& out) {
  Release back;
  for (const auto& lease : leases) {
    const auto position = works_.find(lease);
    if (position == works_.end()) continue;
    const auto& work = position->second;
    if (work.state != State::abandoned) back.tasks.push_back({work.task.id, lease});
    release(work.task.payload, out);
    forget(position);
  }
  if (!back.tasks.empty() && link_.up()) out.push_back(Send{std::move(back)});
  start_queued(now, out);
  leave_when_done(now, out);
}

/// It runs although the end of the one before it has not been told yet.
void Session::begun(const LeaseId& lease, Effects& out) {
  const auto position = works_.find(lease);
  if (position == works_.end()) return;
  auto& work = position->second;
  if (work.state == State::lined_up) set_state(work, State::running);
  if (work.state != State::abandoned) return;
  ++stale_;
  out.push_back(AbandonTask{lease});
  release_all_queued(out);
}

void Session::finished(const LeaseId& lease, Payload payload, Duration elapsed, Time now,
                       Effects& out) {
  const auto position = works_.find(lease);
  if (position == works_.end()) {
    release(payload, out);
    return;
  }
  auto& work = position->second;
  release(work.task.payload, out);
  work.task.payload = {};
  if (work.state == State::abandoned) {
    release(payload, out);
    forget(position);
  } else {
    set_state(work, State::unsettled);
    work.result = {work.task.id, lease, std::move(work.task.token), elapsed, payload};
    ++finished_;
    send_result(work, now, out);
  }
  start_queued(now, out);
  leave_when_done(now, out);
}

void Session::send_result(Work& work, Time now, Effects& out) {
  work.send_again_at = now + kResendInterval;
  sent_.emplace_back(work.send_again_at, work.result.lease);
  if (link_.up()) out.push_back(Send{Results{{work.result}}});
}

/// Those whose last sending is long ago and still has no answer.
void Session::send_again(Time now, Effects& out) {
  while (!sent_.empty()) {
    const auto [when, lease] = sent_.front();
    const auto position = works_.find(lease);
    const bool waits = position != works_.end() && position->second.state == State::unsettled &&
                       position->second.send_again_at == when;
    if (waits && when > now) return;
    sent_.pop_front();
    if (waits) send_result(position->second, now, out);
  }
}

void Session::failed(const LeaseId& lease, Reason reason, const std::string& text, Time now,
                     Effects& out) {
  const auto position = works_.find(lease);
  if (position == works_.end()) return;
  const auto& work = position->second;
  if (is_in_pool(work.state)) nack({work.task.id, lease}, reason, text, out);
  release(work.task.payload, out);
  forget(position);
  start_queued(now, out);
  leave_when_done(now, out);
}

void Session::overdue(const LeaseId& lease, Reason reason, const std::string& text, Time now,
                      Effects& out) {
  const auto position = works_.find(lease);
  if (position == works_.end() || !is_in_pool(position->second.state)) return;
  nack({position->second.task.id, lease}, reason, text, out);
  give_up(position->second, out);
  release_all_queued(out);
  leave_when_done(now, out);
}

void Session::nack(const LeasedTask& task, Reason reason, const std::string& text, Effects& out) {
  ++nacked_;
  if (link_.up()) out.push_back(Send{Nack{task.id, task.lease, reason, text}});
}

void Session::give_up(Work& work, Effects& out) {
  set_state(work, State::abandoned);
  out.push_back(AbandonTask{work.task.lease});
}

void Session::on_settled(const TaskId& task, Effects& out) {
  const auto found = unsettled_.lower_bound({task, LeaseId{}});
  if (found == unsettled_.end() || found->first != task) return;
  const auto position = works_.find(found->second);
  release(position->second.result.payload, out);
  forget(position);
}

void Session::on_stale(const LeasedTask& stale, Effects& out) {
  const auto position = works_.find(stale.lease);
  if (position == works_.end()) return;
  auto& work = position->second;
  if (work.state == State::queued) {
    unqueue(stale.lease, out);
    return;
  }
  if (work.state == State::lined_up) {
    out.push_back(TakeBack{{stale.lease}});
    set_state(work, State::abandoned);
    return;
  }
  ++stale_;
  if (work.state == State::running) {
    give_up(work, out);
    release_all_queued(out);
  } else if (work.state == State::unsettled) {
    release(work.result.payload, out);
    forget(position);
  }
}

void Session::drain(Time now, Effects& out) {
  if (draining_) return;
  draining_ = true;
  if (link_.up()) out.push_back(Send{Drain{}});  // first: what is released would come back
  release_all_queued(out);
  leave_when_done(now, out);
}

void Session::set_not_ready(const std::string& why, Time now, Effects& out) {
  if (why == link_.not_ready()) return;
  link_.set_not_ready(why);
  if (link_.up()) link_.beat(leases_to_vouch_for(), now, out);  // first: as in drain()
  if (!why.empty()) release_all_queued(out);
}

bool Session::take_slot() {
  slot_wanted_ = !draining_ && !slot_is_free();
  if (draining_ || slot_wanted_) return false;
  ++taken_;
  return true;
}

void Session::give_back_slot(Time now, Effects& out) {
  --taken_;
  start_queued(now, out);
}

void Session::tick(Time now, Effects& out) {
  if (link_.tick(now, out) == LinkEvent::beat_due) link_.beat(leases_to_vouch_for(), now, out);
  send_again(now, out);
  nack_expired(now, out);
  leave_when_done(now, out);
}

Time Session::next_deadline() const {
  Time next = link_.next_deadline();
  if (!sent_.empty()) next = std::min(next, sent_.front().first);
  for (const auto& lease : queue_) next = std::min(next, works_.at(lease).deadline);
  return next;
}

void Session::leave_when_done(Time now, Effects& out) {
  const auto wanted = count(State::lined_up) + count(State::running) + count(State::unsettled);
  if (draining_ && wanted == 0) link_.leave(now, out);
}

bool Session::slot_is_free() const {
  return count(State::running) + count(State::abandoned) + taken_ < slots_;
}

std::vector<LeaseId> Session::leases_to_vouch_for() const {
  std::vector<LeaseId> leases;
  for (const auto& [lease, work] : works_) {
    if (work.state == State::queued || is_in_pool(work.state)) leases.push_back(lease);
  }
  return leases;
}

void Session::set_state(Work& work, State state) {
  leave_line(work);
  --count(work.state);
  ++count(state);
  work.state = state;
  if (state == State::lined_up) line_.push_back(work.task.lease);
  if (state == State::unsettled) unsettled_.emplace(work.task.id, work.task.lease);
}

void Session::forget(Works::iterator position) {
  const auto& work = position->second;
  leave_line(work);
  --count(work.state);
  if (work.state == State::unsettled) unsettled_.erase({work.task.id, work.task.lease});
  works_.erase(position);
}

void Session::leave_line(const Work& work) {
  if (work.state != State::lined_up) return;
  if (line_.front() == work.task.lease) {
    line_.pop_front();
  } else {
    std::erase(line_, work.task.lease);
  }
}

SessionStats Session::stats() const {
  return {.queued = count(State::queued) + count(State::lined_up),
          .running = count(State::running),
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
