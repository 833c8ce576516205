#pragma once
// The failpoints that a message passes: before and after it is handed to a socket, and as it has
// come out of one. Messages that no promise hangs on have none. Threads: any.

#include "shared/base/failpoint.hpp"
#include "shared/base/messages.hpp"

namespace framefleet::transport {

struct MessagePoints {
  FailpointName before;
  FailpointName after;
  FailpointName received;
};

/// nullptr: the message has none.
const MessagePoints* points_of(const Message& message);

/// Sends a message, by `send`(), between its points.
template <class Send>
void send_between_points(const Message& message, Send send) {
  const auto* const points = points_of(message);
  if (points != nullptr) failpoint(points->before);
  send();
  if (points != nullptr) failpoint(points->after);
}

inline void pass_received(const Message& message) {
  if (const auto* const points = points_of(message)) failpoint(points->received);
}

}  // namespace framefleet::transport
