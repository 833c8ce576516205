#include "broker/core/outbox.hpp"

#include "shared/base/joining.hpp"

#include <algorithm>
#include <utility>

namespace framefleet::broker {

void Outbox::add(SendTo&& message) {
  hurry(message.peer);
  say(std::move(message));
}

void Outbox::add_for_later(SendTo&& message, Time now) {
  const auto held = held_.find(message.peer);
  if (held != held_.end() && join(held->second.message, message.message)) return;
  hurry(message.peer);
  const Time until = now + kHeldMax;
  turns_.emplace_back(until, message.peer);
  held_.emplace(message.peer, Held{std::move(message.message), until});
}

void Outbox::hurry(PeerId peer) {
  const auto held = held_.find(peer);
  if (held == held_.end()) return;
  SendTo message{peer, std::move(held->second.message)};
  held_.erase(held);
  say(std::move(message));
}

void Outbox::tick(Time now) {
  while (!turns_.empty() && turns_.front().first <= now) {
    const auto [until, peer] = turns_.front();
    turns_.pop_front();
    const auto held = held_.find(peer);
    if (held != held_.end() && held->second.until <= now) hurry(peer);
  }
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
