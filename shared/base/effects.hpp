#pragma once
// The effects that the cores have in common. What only one core wants done stands beside that core.

#include "shared/base/messages.hpp"

namespace framefleet {

/// Close the socket if there is one, open a new one and connect it.
struct Dial {
  friend bool operator==(const Dial&, const Dial&) = default;
};
/// Close the socket.
struct HangUp {
  friend bool operator==(const HangUp&, const HangUp&) = default;
};
/// Send to the broker.
struct Send {
  Message message;
  friend bool operator==(const Send&, const Send&) = default;
};
/// Nobody needs these payload frames any more. Each payload is released exactly once.
struct ReleasePayload {
  PayloadId payload;
  friend bool operator==(const ReleasePayload&, const ReleasePayload&) = default;
};

}  // namespace framefleet
