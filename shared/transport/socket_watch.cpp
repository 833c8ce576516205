#include "shared/transport/socket_watch.hpp"

#include <array>
#include <atomic>
#include <cstring>
#include <string>

namespace framefleet::transport {
namespace {

HandshakeFault fault_of(std::uint32_t protocol_error) {
  if (protocol_error == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH) {
    return HandshakeFault::mechanism;
  }
  if (protocol_error == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC) {
    return HandshakeFault::wrong_broker_key;
  }
  return HandshakeFault::protocol;
}

}  // namespace

std::string_view to_string(HandshakeFault fault) {
  constexpr std::array<std::string_view, kHandshakeFaultCount> kWords{
      "mechanism", "wrong_broker_key", "unlisted", "protocol", "incomplete"};
  return kWords.at(static_cast<std::size_t>(fault));
}

SocketWatch::SocketWatch(zmq::context_t& context, zmq::socket_t& watched, int events)
    : watched_(watched), events_(context, zmq::socket_type::pair) {
  // A name is free again only some time after its watch has gone.
  static std::atomic<std::uint64_t> watches{0};
  const std::string name = "inproc://events-" + std::to_string(++watches);
  if (zmq_socket_monitor(watched_.handle(), name.c_str(), events) != 0) throw zmq::error_t();
  events_.set(zmq::sockopt::linger, 0);
  events_.set(zmq::sockopt::rcvhwm, 0);
  events_.connect(name);
}

SocketWatch::~SocketWatch() {
  // First, or libzmq's thread would wait for a reader that is no more.
  zmq_socket_monitor(watched_.handle(), nullptr, 0);
}

std::optional<SocketWatch::Event> SocketWatch::next() {
  while (true) {
    zmq::message_t head;
    is_quiet_ = !events_.recv(head, zmq::recv_flags::dontwait);
    if (is_quiet_) return std::nullopt;
    while (events_.get(zmq::sockopt::rcvmore) != 0) {  // the address
      zmq::message_t rest;
      if (!events_.recv(rest, zmq::recv_flags::dontwait)) return std::nullopt;
    }
    std::uint16_t what = 0;
    std::uint32_t value = 0;
    if (head.size() != sizeof what + sizeof value) continue;
    std::memcpy(&what, head.data(), sizeof what);
    std::memcpy(&value, static_cast<const char*>(head.data()) + sizeof what, sizeof value);
    switch (what) {
      case ZMQ_EVENT_LISTENING:
        return Event{Event::Kind::listening, {}, static_cast<int>(value)};
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        return Event{Event::Kind::succeeded, {}, -1};
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        return Event{Event::Kind::failed, HandshakeFault::unlisted, -1};
      case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        return Event{Event::Kind::failed, fault_of(value), -1};
      case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        return Event{Event::Kind::failed, HandshakeFault::incomplete, -1};
      default:
        continue;
    }
  }
}

}  // namespace framefleet::transport
