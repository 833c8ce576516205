#pragma once
// Internal: messages to multipart ZeroMQ messages and back, the same for both ends. Not a public
// header: it names ZeroMQ. Threads: the socket's.

#include "shared/base/messages.hpp"
#include "shared/base/result.hpp"
#include "shared/transport/frame.hpp"
#include "shared/transport/payload_store.hpp"

#include <zmq.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace framefleet::transport {

/// A message as its frames: header first, then the payloads.
using Parcel = std::vector<Frame>;

class Courier {
 public:
  explicit Courier(PayloadStore& payloads) : payloads_(payloads) {}

  /// One parcel, or several where a list is too long for one header. An error means that the
  /// message can never travel; its text says why.
  Result<std::vector<Parcel>, std::string> pack(const Message& message) const;
  /// The message, its payloads put into the store. `type_unknown`: from a newer peer, to be
  /// dropped.
  struct Unreadable {
    bool type_unknown{false};
    std::string text;
  };
  Result<Message, Unreadable> unpack(Parcel parcel);

  /// All parts of the next message, without waiting. Nothing: there is none. Of more than
  /// `parts_max` parts one too many is kept, to which the codec objects; the others are thrown
  /// away.
  static std::optional<Parcel> receive(zmq::socket_t& socket, std::size_t parts_max);
  /// Whether the kernel says that a process of this user, or root, sent the parcel over ipc. Reads
  /// the last frame: libzmq 4.3.4 leaves the metadata of a first frame out after a poll.
  static bool is_own_user(const Parcel& parcel);

  /// Messages of unknown types that one receive() of an end drops before it lets the loop go on.
  static constexpr int kUnknownMax = 64;

  enum class Sent : std::uint8_t { yes, would_block, unreachable };
  /// Without waiting. `route`: first part for a ROUTER, none otherwise.
  static Sent send(zmq::socket_t& socket, const std::string* route, const Parcel& parcel);

 private:
  PayloadStore& payloads_;
};

/// Waits until the socket can be read (or, if `want_write`, written), one of `fds` can be read, or
/// `timeout` has passed (negative: for ever). A signal ends the wait early.
void wait_for(zmq::socket_t* socket, bool want_write, std::span<const int> fds, Duration timeout);

}  // namespace framefleet::transport
