#pragma once
// What the broker is about to say, in order, until the loop has nothing more to read: what goes to
// one peer is joined to what was to go there before. The payloads that were let go meanwhile are
// kept as long.
//
// What can wait (SendTo::can_wait) is held until something else is said to its peer, or until it
// has waited for so long: a message by itself costs both ends more than the words in it.
//
// Pure: takes the time. Threads: one.

#include "broker/core/effects.hpp"

#include "shared/base/time.hpp"

#include <cstddef>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace framefleet::broker {

class Outbox {
 public:
  /// Messages of one peer keep their order, with those that are held for it. One alone is
  /// overtaken: that a task was admitted waits on when others are said to have ended, and is never
  /// said of a task that has.
  void add(SendTo&& message, Time now);
  /// What is held for a peer is to be said now.
  void say_held(PeerId peer);
  /// Nobody is there to hear what is held for it.
  void forget(PeerId peer);
  /// Says what was held for long enough.
  void tick(Time now);
  Time next_deadline() const { return turns_.empty() ? kNever : turns_.begin()->first; }
  /// Once all that was added before it is on its way.
  void release(PayloadId payload) { released_.push_back(payload); }

  const std::vector<SendTo>& messages() const { return messages_; }
  const std::vector<PayloadId>& released() const { return released_; }
  /// What is held stays.
  void clear() {
    messages_.clear();
    released_.clear();
  }

 private:
  /// How far back a message is looked for that the next one can be joined to.
  static constexpr std::size_t kLookBack = 32;

  struct Held {
    SendTo send_to;
    Time until{};
  };
  using Position = std::unordered_map<PeerId, Held>::iterator;

  bool overtakes(const SendTo& message, Position held);
  void hold(SendTo&& message, Time until);
  void let_go(Position held);
  void say(SendTo&& message);

  std::vector<SendTo> messages_;
  std::vector<PayloadId> released_;
  std::unordered_map<PeerId, Held> held_;
  std::set<std::pair<Time, PeerId>> turns_;  // when what is held is due
};

}  // namespace framefleet::broker
