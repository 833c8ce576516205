#include "shared/base/link.hpp"

#include <algorithm>
#include <utility>

namespace framefleet {

Link::Link(Hello hello, LinkOptions options) : hello_(std::move(hello)), options_(options) {}

Duration Link::peer_timeout() const {
  return welcome_.peer_timeout > Duration::zero() ? welcome_.peer_timeout : options_.peer_timeout;
}

Time Link::next_deadline() const {
  switch (state_) {
    case State::waiting:
      return dial_at_;
    case State::dialled:
      return heard_at_ + peer_timeout();
    case State::up:
      return std::min(next_beat_, heard_at_ + peer_timeout());
    case State::leaving:
      return leave_until_;
    case State::closed:
    case State::refused:
      return kNever;
  }
  return kNever;
}

void Link::dial(Time now, Sink& out) {
  state_ = State::dialled;
  heard_at_ = now;
  has_news_ = false;
  out.push_back(Dial{});
  out.push_back(Send{hello_});
}

LinkEvent Link::lose(Time redial_at, Sink& out) {
  const bool was_up = state_ == State::up;
  state_ = State::waiting;
  dial_at_ = redial_at;
  next_beat_ = kNever;
  out.push_back(HangUp{});
  if (!was_up) return LinkEvent::none;
  ++losses_;
  return LinkEvent::down;
}

LinkEvent Link::on_tick(Time now, Sink& out) {
  switch (state_) {
    case State::waiting:
      if (now >= dial_at_) dial(now, out);
      return LinkEvent::none;
    case State::dialled:
      if (now >= heard_at_ + peer_timeout()) dial(now, out);
      return LinkEvent::none;
    case State::up:
      if (now >= heard_at_ + peer_timeout()) return lose(now, out);
      return now >= next_beat_ ? LinkEvent::beat_due : LinkEvent::none;
    case State::leaving:
      if (now < leave_until_) return LinkEvent::none;
      state_ = State::closed;
      out.push_back(HangUp{});
      return LinkEvent::closed;
    case State::closed:
    case State::refused:
      return LinkEvent::none;
  }
  return LinkEvent::none;
}

LinkEvent Link::on_message(const Message& message, Time now, Sink& out) {
  if (state_ == State::waiting || finished()) return LinkEvent::none;
  if (state_ != State::dialled) heard_at_ = now;  // dialled: only an answer to the hello helps
  if (const auto* welcome = std::get_if<Welcome>(&message)) {
    if (state_ != State::dialled) return LinkEvent::none;
    state_ = State::up;
    heard_at_ = now;
    welcome_ = *welcome;
    refusal_ = {};  // whatever it was, it is over
    next_beat_ = has_news_ ? now : now + welcome_.heartbeat_interval;
    return LinkEvent::up;
  }
  if (const auto* refused = std::get_if<Refused>(&message)) {
    refusal_ = *refused;
    if (refused->retry > Duration::zero()) return lose(now + refused->retry, out);
    state_ = State::refused;
    out.push_back(HangUp{});
    return LinkEvent::refused;
  }
  if (std::holds_alternative<Goodbye>(message)) {
    if (state_ == State::leaving) {
      state_ = State::closed;
      out.push_back(HangUp{});
      return LinkEvent::closed;
    }
    out.push_back(Send{Goodbye{}});
    return lose(now + options_.redial_delay, out);
  }
  return LinkEvent::none;
}

LinkEvent Link::on_leave(Time now, Sink& out) {
  if (finished() || state_ == State::leaving) return LinkEvent::none;
  if (state_ != State::up) {
    state_ = State::closed;
    out.push_back(HangUp{});
    return LinkEvent::closed;
  }
  state_ = State::leaving;
  leave_until_ = now + options_.leave_timeout;
  next_beat_ = kNever;
  out.push_back(Send{Goodbye{}});
  return LinkEvent::none;
}

}  // namespace framefleet
