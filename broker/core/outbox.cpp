#include "broker/core/outbox.hpp"

#include "shared/base/joining.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::broker {

void Outbox::add(SendTo&& message, Time now) {
  const auto held = held_.find(message.peer);
  const bool can_wait = message.can_wait > Duration::zero();
  if (held != held_.end()) {
    if (can_wait && join(held->second.send_to.message, message.message)) return;
    if (can_wait || !overtakes(message, held)) say_held(message.peer);
  }
  const Time until = now + message.can_wait;
  can_wait ? hold(std::move(message), until) : say(std::move(message));
}

/// Whether it tells of ends what is held tells the admissions of. Of what it names nothing is left
/// to be told.
bool Outbox::overtakes(const SendTo& message, Position held) {
  const auto* const settled = std::get_if<Settled>(&message.message);
  auto* const admitted = std::get_if<Admitted>(&held->second.send_to.message);
  if (settled == nullptr || admitted == nullptr) return false;
  std::erase_if(admitted->tasks, [settled](const AdmittedTask& task) {
    return std::any_of(settled->tasks.begin(), settled->tasks.end(),
                       [&task](const SettledTask& ended) { return ended.id == task.id; });
  });
  if (admitted->tasks.empty()) let_go(held);
  return true;
}

void Outbox::say_held(PeerId peer) {
  const auto held = held_.find(peer);
  if (held == held_.end()) return;
  SendTo message = std::move(held->second.send_to);
  let_go(held);
  say(std::move(message));
}

void Outbox::forget(PeerId peer) {
  if (const auto held = held_.find(peer); held != held_.end()) let_go(held);
}

void Outbox::tick(Time now) {
  while (next_deadline() <= now) say_held(turns_.begin()->second);
}

void Outbox::hold(SendTo&& message, Time until) {
  const auto peer = message.peer;
  turns_.emplace(until, peer);
  held_.emplace(peer, Held{std::move(message), until});
}

void Outbox::let_go(Position held) {
  turns_.erase({held->second.until, held->first});
  held_.erase(held);
}

void Outbox::say(SendTo&& message) {
  const auto far = std::min(messages_.size(), kLookBack);
  const auto back = messages_.rbegin();
  const auto last =
      std::find_if(back, back + static_cast<std::ptrdiff_t>(far),
                   [&](const SendTo& earlier) { return earlier.peer == message.peer; });
  const bool is_there = last != back + static_cast<std::ptrdiff_t>(far);
  if (is_there && join(last->message, message.message)) return;
  messages_.push_back(std::move(message));
}

}  // namespace framefleet::broker
