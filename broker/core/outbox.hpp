#pragma once
// What the broker is about to say, in order, until the loop has nothing more to read: what goes to
// one peer is joined to what was to go there before. The payloads that were let go meanwhile are
// kept as long.
//
// What a peer need not hear at once is held until something else is said to it, for kHeldMax at
// most: a message by itself costs both ends more than the words in it, and with many peers hardly
// two go to one of them in a turn.
//
// Pure: takes the time. Threads: one.

#include "broker/core/effects.hpp"

#include "shared/base/time.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

namespace framefleet::broker {

class Outbox {
 public:
  static constexpr Duration kHeldMax = std::chrono::milliseconds{200};

  /// Messages of one peer keep their order, with those that were held for it.
  void add(SendTo&& message);
  /// Holds it.
  void add_for_later(SendTo&& message, Time now);
  /// What is held for a peer is to be said now.
  void hurry(PeerId peer);
  /// Nobody is there to hear what is held for it.
  void forget(PeerId peer) { held_.erase(peer); }
  /// Says what was held for long enough.
  void tick(Time now);
  Time next_deadline() const { return turns_.empty() ? kNever : turns_.front().first; }
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
    Message message;
    Time until{};
  };

  void say(SendTo&& message);

  std::vector<SendTo> messages_;
  std::vector<PayloadId> released_;
  std::unordered_map<PeerId, Held> held_;
  std::deque<std::pair<Time, PeerId>> turns_;  // when what is held is due; some was said since
};

}  // namespace framefleet::broker
