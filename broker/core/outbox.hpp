#pragma once
// What the broker is about to say, in order, until the loop has nothing more to read: what goes to
// one peer is joined to what was to go there before. The payloads that were let go meanwhile are
// kept as long.
//
// Pure. Threads: one.

#include "broker/core/effects.hpp"

#include <cstddef>
#include <vector>

namespace framefleet::broker {

class Outbox {
 public:
  /// Messages of one peer keep their order.
  void add(SendTo&& message);
  /// Once all that was added before it is on its way.
  void release(PayloadId payload) { released_.push_back(payload); }

  const std::vector<SendTo>& messages() const { return messages_; }
  const std::vector<PayloadId>& released() const { return released_; }
  void clear() {
    messages_.clear();
    released_.clear();
  }

 private:
  /// How far back a message is looked for that the next one can be joined to.
  static constexpr std::size_t kLookBack = 32;

  std::vector<SendTo> messages_;
  std::vector<PayloadId> released_;
};

}  // namespace framefleet::broker
