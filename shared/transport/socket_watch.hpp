#pragma once
// Internal: what libzmq tells about the connections of a socket: how handshakes ended, and which
// descriptor listens. Not a public header: it names ZeroMQ.
//
// Invariant: the socket outlives its watch. Events wait without a cap until they are read, because
// libzmq's thread would stop where they could not: read them every turn. Threads: the socket's.

#include "shared/transport/handshake.hpp"

#include <zmq.hpp>

#include <cstdint>
#include <optional>

namespace framefleet::transport {

class SocketWatch {
 public:
  static constexpr int kFailures = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                                   ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                                   ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
  static constexpr int kOfBinder = kFailures | ZMQ_EVENT_LISTENING;
  static constexpr int kOfDialler = kFailures | ZMQ_EVENT_HANDSHAKE_SUCCEEDED;

  /// Begins before the socket is bound or connected.
  SocketWatch(zmq::context_t& context, zmq::socket_t& watched, int events);
  ~SocketWatch();
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;

  struct Event {
    enum class Kind : std::uint8_t { listening, succeeded, failed };
    Kind kind{Kind::failed};
    HandshakeFault fault{HandshakeFault::incomplete};  ///< failed
    int listener{-1};                                  ///< listening: the descriptor, libzmq's own
  };
  /// Without waiting.
  std::optional<Event> next();
  /// The last next() found nothing.
  bool is_quiet() const { return is_quiet_; }
  zmq::socket_t& socket() { return events_; }

  /// Events that one turn of a loop reads.
  static constexpr int kBatchMax = 1024;

 private:
  zmq::socket_t& watched_;
  zmq::socket_t events_;
  bool is_quiet_{false};
};

}  // namespace framefleet::transport
