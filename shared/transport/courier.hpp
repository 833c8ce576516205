#pragma once
// Internal: messages to multipart ZeroMQ messages and back, the same for both ends. Not a public
// header: it names ZeroMQ. Threads: the socket's.

#include "shared/base/messages.hpp"
#include "shared/base/result.hpp"
#include "shared/security/keys.hpp"
#include "shared/transport/frame.hpp"
#include "shared/transport/payload_store.hpp"
#include "shared/wire/limits.hpp"

#include <poll.h>
#include <zmq.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace framefleet::transport {

/// A message that is sent: the header, then the payloads.
struct Parcel {
  std::string header;
  std::vector<Frame> frames;
};

/// A message as it was received, part by part. Kept by its reader, so that none of them takes
/// memory for the list.
using Parts = std::vector<zmq::message_t>;

class Courier {
 public:
  explicit Courier(PayloadStore& payloads) : payloads_(payloads) {}

  /// Appends one parcel, or several where a list is too long for one header. An error means that
  /// the message can never travel; its text says why, and what was appended is not to be sent.
  Result<void, std::string> pack(const Message& message, std::vector<Parcel>& out);
  /// The message, its payloads put into the store. `type_unknown`: from a newer peer, to be
  /// dropped.
  struct Unreadable {
    bool type_unknown{false};
    std::string text;
  };
  Result<Message, Unreadable> unpack(std::span<zmq::message_t> parts);

  /// All parts of the next message, without waiting. False: there is none. Of more than
  /// `parts_max` parts one too many is kept, to which the codec objects; the others are thrown
  /// away.
  static bool receive(zmq::socket_t& socket, std::size_t parts_max, Parts& parts);
  /// What libzmq knows of the connection that a message came over. Reads the last part: libzmq
  /// 4.3.4 leaves the metadata of a first one out after a poll.
  struct Origin {
    std::optional<std::uint32_t> user;       ///< Over ipc: whose process, by the kernel's word.
    std::optional<security::PublicKey> key;  ///< Of a peer that a gatekeeper let in.
    int connection{-1};                      ///< The descriptor, libzmq's own; -1: not known.
  };
  /// `keyed`: tcp connections have a gatekeeper. Without one a "User-Id" is the peer's invention.
  static Origin origin_of(const Parts& parts, bool keyed);

  /// Of a message, without a route: its header and its payloads' frames.
  static constexpr std::size_t kPartsMax = 1 + wire::kMessageFramesMax;
  /// Messages that a socket keeps for each direction of a connection; what is more waits where it
  /// is counted.
  static constexpr int kHighWaterMark = 64;
  /// Messages of unknown types that one receive() of an end drops before it lets the loop go on.
  static constexpr int kUnknownMax = 64;

  enum class Sent : std::uint8_t { yes, would_block, unreachable };
  /// Without waiting. `route`: first part for a ROUTER, none otherwise.
  static Sent send(zmq::socket_t& socket, const std::string* route, const Parcel& parcel);

 private:
  PayloadStore& payloads_;
  std::vector<std::uint64_t> sizes_;  // of the payload frames of the message at hand
};

/// What an end waits for, turn by turn, without taking memory for it each time. libzmq's own poll
/// asks the kernel two or three times for each socket; this one once for those that are in use.
class Wait {
 public:
  /// Until the socket can be read, or where there is something `to_write`, written.
  void add(zmq::socket_t& socket, bool to_write = false);
  /// Until something happens to the socket. Requires: it was read until nothing was left, and
  /// nothing was sent over it since.
  void add_quiet(zmq::socket_t& socket);
  /// Until one of those added since the last run is ready, one of `fds` can be read, or `timeout`
  /// has passed (negative: for ever). A signal, or what libzmq does for itself, ends it early.
  void run(std::span<const int> fds, Duration timeout);
  /// In the last run something happened to it.
  bool heard(zmq::socket_t& socket) const;

 private:
  std::vector<pollfd> polled_;
  bool has_run_{false};
  bool is_ready_{false};  // one of those added is
};

}  // namespace framefleet::transport
