#pragma once
// The peer's side of a connection to the broker as a state machine: dial, hello, welcome,
// heartbeats, silence, goodbye. Worker, producer and sink own one by value, so all of them
// reconnect, give up and leave in the same way. Pure: takes events and the time, appends effects;
// no socket, no clock.
//
//             tick            welcome                 leave            goodbye | leave_timeout
//   waiting ────────▶ dialled ────────▶ up ───────────────────▶ leaving ──────▶ closed
//      ▲                 │ silence       │ silence, goodbye        ▲
//      └─────────────────┴───────────────┘                         │
//   refused for good: `refused`                 leave() from waiting or dialled: straight to closed
//
// Silence: nothing heard for `peer_timeout`. The socket is then closed and a new one dialled,
// because a socket that reconnects by itself can take a minute over it and says nothing meanwhile.

#include "shared/base/effects.hpp"

#include <cstdint>
#include <variant>
#include <vector>

namespace framefleet {

struct LinkOptions {
  /// Silence after which the connection counts as gone, until a welcome says otherwise.
  Duration peer_timeout{std::chrono::milliseconds{2500}};
  /// Pause before dialling again after the broker said goodbye.
  Duration redial_delay{std::chrono::milliseconds{250}};
  /// How long to wait for the answer to our goodbye.
  Duration leave_timeout{std::chrono::milliseconds{1000}};
};

/// What a message or the passing of time meant for the connection.
enum class LinkEvent : std::uint8_t {
  none,
  up,        ///< Welcomed; `incarnation()` tells by whom.
  down,      ///< Lost; it will be dialled again.
  beat_due,  ///< Call beat() with the leases to vouch for.
  refused,   ///< The broker does not want this peer, now or ever; see `refusal()`.
  closed,    ///< Left in order (or gave up waiting for the answer).
};

class Link {
 public:
  Link(Hello hello, LinkOptions options);

  /// Time passed. Call at `next_deadline()` or later. At most one event per call: call again while
  /// the deadline is not in the future.
  template <class Effects>
  LinkEvent tick(Time now, Effects& out) {
    return emit([&](Sink& sink) { return on_tick(now, sink); }, out);
  }
  /// Any message from the broker. `welcome`, `refused`, `goodbye` and `heartbeat` are dealt with
  /// here.
  template <class Effects>
  LinkEvent receive(const Message& message, Time now, Effects& out) {
    return emit([&](Sink& sink) { return on_message(message, now, sink); }, out);
  }
  /// What hellos and heartbeats say of a worker from now on: why it takes no task; "": it does.
  void set_not_ready(std::string why) {
    hello_.not_ready = std::move(why);
    has_news_ = true;
  }
  const std::string& not_ready() const { return hello_.not_ready; }
  /// What the next hello says of a producer's sources.
  void set_sources(std::vector<SourceClaim> sources) { hello_.sources = std::move(sources); }
  const std::vector<SourceClaim>& sources() const { return hello_.sources; }
  /// Sends a heartbeat that vouches for `leases`.
  template <class Effects>
  void beat(std::vector<LeaseId> leases, Time now, Effects& out) {
    next_beat_ = now + welcome_.heartbeat_interval;
    has_news_ = false;
    out.push_back(Send{Heartbeat{welcome_.incarnation, std::move(leases), hello_.not_ready}});
  }
  /// Says goodbye, or just closes when the connection is not up.
  template <class Effects>
  LinkEvent leave(Time now, Effects& out) {
    return emit([&](Sink& sink) { return on_leave(now, sink); }, out);
  }

  Time next_deadline() const;

  bool up() const { return state_ == State::up; }
  /// A hello went out, and nothing has been lost since.
  bool has_dialled() const { return state_ != State::waiting; }
  bool finished() const { return state_ == State::closed || state_ == State::refused; }
  bool leaving() const { return state_ == State::leaving; }
  /// Of the broker that welcomed us last; 0 before the first welcome.
  std::uint32_t incarnation() const { return welcome_.incarnation; }
  const Welcome& welcome() const { return welcome_; }
  const Refused& refusal() const { return refusal_; }
  /// How often a connection that was up got lost.
  std::uint64_t losses() const { return losses_; }

 private:
  enum class State : std::uint8_t { waiting, dialled, up, leaving, closed, refused };
  using Effect = std::variant<Dial, HangUp, Send>;
  using Sink = std::vector<Effect>;

  LinkEvent on_tick(Time now, Sink& out);
  LinkEvent on_message(const Message& message, Time now, Sink& out);
  LinkEvent on_leave(Time now, Sink& out);
  void dial(Time now, Sink& out);
  LinkEvent lose(Time redial_at, Sink& out);
  Duration peer_timeout() const;

  /// Runs `step` and hands its effects on to a buffer whose element type holds them.
  template <class Step, class Effects>
  LinkEvent emit(Step step, Effects& out) {
    scratch_.clear();
    const LinkEvent event = step(scratch_);
    for (auto& effect : scratch_) {
      std::visit([&out](auto& value) { out.push_back(std::move(value)); }, effect);
    }
    return event;
  }

  Hello hello_;
  LinkOptions options_;
  State state_{State::waiting};
  Time dial_at_{Time::min()};  // waiting: when to dial
  Time heard_at_{};            // dialled, up: last sign of life (or the dialling)
  Time next_beat_{kNever};     // up
  bool has_news_{false};       // not_ready() is not what the broker was told
  Time leave_until_{kNever};   // leaving
  Welcome welcome_;
  Refused refusal_;
  std::uint64_t losses_{0};
  Sink scratch_;  // empty between calls; kept for its memory
};

}  // namespace framefleet
