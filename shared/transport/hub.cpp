#include "shared/transport/hub.hpp"

#include "shared/transport/bind_address.hpp"
#include "shared/transport/courier.hpp"
#include "shared/transport/gatekeeper.hpp"
#include "shared/transport/listener.hpp"
#include "shared/transport/message_points.hpp"
#include "shared/transport/socket_watch.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

namespace framefleet::transport {
namespace {

/// A peer that has not finished its handshake by then is dropped (libzmq's own 30 s let a few
/// hundred idle connects block the listener).
constexpr int kHandshakeMs = 2000;
/// How often what waits for slow peers is tried again: a ROUTER cannot be polled for one peer.
constexpr Duration kRetryInterval = std::chrono::milliseconds{10};
/// Messages of a key that is allowed no more that are only dropped; at the next one its connection
/// is cut.
constexpr std::uint64_t kLastWordsMax = 64;
/// Sockets that listen at one address, one for each key that the broker had: each has a descriptor.
constexpr std::uint32_t kListenersMax = 16;

bool is_tcp(const std::string& endpoint) { return endpoint.starts_with("tcp://"); }

}  // namespace

class Hub::Sockets {
 public:
  explicit Sockets(const HubOptions& options)
      : options_(options),
        context_(options.io_threads),
        router_(context_, zmq::socket_type::router),
        watch_(context_, router_, SocketWatch::kOfBinder),
        courier_(payloads_) {
    router_.set(zmq::sockopt::linger, 0);
    router_.set(zmq::sockopt::router_mandatory, true);
    router_.set(zmq::sockopt::sndhwm, Courier::kHighWaterMark);
    router_.set(zmq::sockopt::rcvhwm, Courier::kHighWaterMark);
    router_.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(options.frame_bytes_max));
    router_.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
    router_.set(zmq::sockopt::tcp_keepalive, 1);
    router_.set(zmq::sockopt::ipv6, true);
  }

  /// Before anything is bound.
  void set_keys(const HubKeys& keys) {
    gatekeeper_.emplace(context_);
    gatekeeper_->allow(keys.allowed);
    set_broker_key(keys.broker);
  }

  Result<void, Error> bind(const std::string& endpoint) {
    const bool may_be_open = options_.insecure || gatekeeper_;
    if (auto allowed = check_bindable(endpoint, may_be_open); !allowed) return allowed;
    // Options count at the moment of binding: tcp has CURVE where there are keys, ipc never has.
    if (gatekeeper_) router_.set(zmq::sockopt::curve_server, is_tcp(endpoint));
    try {
      router_.bind(bindable(endpoint));
    } catch (const zmq::error_t& error) {
      return fail(Error{fmt::format("cannot bind {}: {}{}", endpoint, error.what(),
                                    error.num() == EADDRINUSE
                                        ? " (is another broker running? choose another address)"
                                        : ""),
                        error.num() == EINVAL ? exit_code::kConfig : exit_code::kUnavailable});
    }
    const std::string bound = router_.get(zmq::sockopt::last_endpoint);
    look_at_connections();
    if (gatekeeper_ && is_tcp(endpoint)) listeners_.push_back({bound, heard_listener_});
    endpoints_.push_back(spelled_plainly(bound));
    return {};
  }

  std::vector<PeerId> allow(std::vector<security::PublicKey> keys) {
    gatekeeper_->allow(std::move(keys));
    unheard_.clear();
    std::vector<PeerId> gone;
    for (const auto& [peer, key] : keys_) {
      if (!gatekeeper_->allows(key)) gone.push_back(peer);
    }
    return gone;
  }

  Result<void, std::string> change_key(const security::KeyPair& broker) {
    if (listen_count_ == kListenersMax) return fail(std::string("it was changed too often"));
    std::vector<FileDescriptor> successors;
    for (const auto& listener : listeners_) {
      auto successor = listen_beside(listener.fd, listen_count_);
      if (!successor) return fail(listener.endpoint + ": " + successor.error());
      successors.push_back(std::move(*successor));
    }
    ++listen_count_;
    set_broker_key(broker);
    router_.set(zmq::sockopt::curve_server, true);
    try {
      for (std::size_t i = 0; i < listeners_.size(); ++i) {
        auto& listener = listeners_[i];
        router_.set(zmq::sockopt::use_fd, successors[i].get());
        listener.fd = successors[i].release();  // libzmq's from here on
        router_.bind(listener.endpoint);
      }
      router_.set(zmq::sockopt::use_fd, -1);
    } catch (const zmq::error_t& error) {
      return fail(std::string(error.what()));
    }
    return {};
  }

  std::optional<Incoming> receive() {
    for (int i = 0; i < Courier::kUnknownMax; ++i) {
      if (!Courier::receive(router_, 1 + Courier::kPartsMax, parts_)) return std::nullopt;
      ++stats_.received;
      const auto origin = Courier::origin_of(parts_, gatekeeper_.has_value());
      if (!is_let_in(origin)) continue;
      auto message = courier_.unpack(std::span(parts_).subspan(1));
      if (!message && message.error().type_unknown) {
        ++stats_.unknown_types;
        continue;  // The core never hears of it, so nobody would forget its route.
      }
      Incoming incoming;
      incoming.from = peer_of(parts_.front().to_string(), origin.key);
      const auto& user = origin.user;
      incoming.sender = {user, user && (*user == 0 || *user == ::geteuid()), origin.key};
      if (message) {
        incoming.message = std::move(*message);
      } else {
        ++stats_.unreadable;
        incoming.fault = std::move(message.error().text);
      }
      return incoming;
    }
    return std::nullopt;
  }

  void send(PeerId to, const Message& message) {
    const auto route = routes_.find(to);
    if (!courier_.pack(message, packed_)) {
      ++stats_.unsendable;
      unreachable_.push_back(to);  // it will dial anew and ask; nothing is lost in silence
    } else if (route != routes_.end()) {
      send_packed(to, route->second);
    }
    packed_.clear();  // whose frames nobody else may need any more
  }

  void forget(PeerId peer) {
    if (const auto route = routes_.find(peer); route != routes_.end()) {
      // One last try: it may be our goodbye that waits.
      if (const auto waiting = waiting_.find(peer); waiting != waiting_.end()) {
        send_waiting(peer, route->second, waiting->second);
      }
      peers_.erase(route->second);
      routes_.erase(route);
    }
    keys_.erase(peer);
    waiting_.erase(peer);
  }

  void flush() {
    for (auto& [peer, waiting] : waiting_) {
      if (!waiting.parcels.empty()) send_waiting(peer, routes_.at(peer), waiting);
    }
    std::erase_if(waiting_, [](const auto& entry) { return entry.second.parcels.empty(); });
  }

  void wait(std::span<const int> fds, Duration timeout) {
    const bool something_waits =
        std::any_of(waiting_.begin(), waiting_.end(),
                    [](const auto& entry) { return !entry.second.parcels.empty(); });
    if (!unreachable_.empty()) timeout = Duration::zero();
    if (something_waits && (timeout < Duration::zero() || timeout > kRetryInterval)) {
      timeout = kRetryInterval;
    }
    const bool more_to_look_at = !watch_.is_quiet() || (gatekeeper_ && !gatekeeper_->is_quiet());
    if (more_to_look_at) timeout = Duration::zero();
    wait_.add(router_);
    wait_.add_quiet(watch_.socket());
    if (gatekeeper_) wait_.add_quiet(gatekeeper_->socket());
    wait_.run(fds, timeout);
    if (gatekeeper_ && (more_to_look_at || wait_.heard(gatekeeper_->socket()))) {
      gatekeeper_->answer();
    }
    if (more_to_look_at || wait_.heard(watch_.socket())) look_at_connections();
  }

  std::vector<PeerId> take_unreachable() { return std::exchange(unreachable_, {}); }
  const std::vector<std::string>& endpoints() const { return endpoints_; }
  PayloadStore& payloads() { return payloads_; }
  const HubStats& stats() const { return stats_; }

 private:
  /// A connection's listener, and the descriptor of the socket that listens for it now.
  struct Listener {
    std::string endpoint;
    int fd{-1};
  };

  /// For a peer that reads too slowly.
  struct Waiting {
    std::deque<Parcel> parcels;
    std::uint64_t bytes{0};  ///< Of their headers.
  };

  void set_broker_key(const security::KeyPair& broker) {
    const auto secret = broker.secret_key.bytes();
    router_.set(zmq::sockopt::curve_secretkey, zmq::buffer(secret.data(), secret.size()));
  }

  /// Asked of each message: who was let in once may be allowed no more.
  bool is_let_in(const Courier::Origin& origin) {
    if (!gatekeeper_ || origin.user) return true;
    if (origin.key && gatekeeper_->allows(*origin.key)) return true;
    ++(origin.key ? stats_.unlisted : stats_.unproved);
    // What it was told last is on its way: who takes that to heart ends by itself.
    if (origin.key && ++unheard_[*origin.key] <= kLastWordsMax) return false;
    // It comes back to be refused with the reason. Were the connection another one by now, that
    // would dial anew: libzmq has no other way to end one.
    ::shutdown(origin.connection, SHUT_RDWR);
    return false;
  }

  void look_at_connections() {
    using Kind = SocketWatch::Event::Kind;
    for (int i = 0; i < SocketWatch::kBatchMax; ++i) {
      const auto event = watch_.next();
      if (!event) return;
      if (event->kind == Kind::listening) heard_listener_ = event->listener;
      if (event->kind == Kind::failed) {
        ++stats_.handshakes_failed.at(static_cast<std::size_t>(event->fault));
      }
    }
  }

  PeerId peer_of(const std::string& route, const std::optional<security::PublicKey>& key) {
    const auto [position, is_new] = peers_.try_emplace(route);
    if (is_new) {
      position->second = PeerId{++last_peer_};
      routes_.emplace(position->second, route);
      if (key) keys_.emplace(position->second, *key);
    }
    return position->second;
  }

  /// Behind what waits for the peer, which is rare.
  void send_packed(PeerId peer, const std::string& route) {
    auto next = packed_.begin();
    if (!waiting_.contains(peer)) {
      while (next != packed_.end() && Courier::send(router_, &route, *next) == Courier::Sent::yes) {
        ++stats_.sent;
        ++next;
      }
      if (next == packed_.end()) return;
    }
    auto& waiting = waiting_[peer];
    for (; next != packed_.end(); ++next) {
      waiting.bytes += next->header.size();
      waiting.parcels.push_back(std::move(*next));
    }
    send_waiting(peer, route, waiting);
  }

  void send_waiting(PeerId peer, const std::string& route, Waiting& waiting) {
    while (!waiting.parcels.empty()) {
      const auto bytes = waiting.parcels.front().header.size();
      switch (Courier::send(router_, &route, waiting.parcels.front())) {
        case Courier::Sent::yes:
          ++stats_.sent;
          waiting.bytes -= bytes;
          waiting.parcels.pop_front();
          continue;
        case Courier::Sent::would_block:
          if (waiting.parcels.size() <= options_.waiting_messages_max &&
              waiting.bytes <= options_.waiting_bytes_max) {
            return;
          }
          break;
        case Courier::Sent::unreachable:
          break;
      }
      ++stats_.unreachable;
      waiting = {};
      unreachable_.push_back(peer);
      return;
    }
  }

  HubOptions options_;
  zmq::context_t context_;
  std::optional<Gatekeeper> gatekeeper_;  // nothing: there are no keys
  zmq::socket_t router_;
  SocketWatch watch_;
  PayloadStore payloads_;
  Courier courier_;
  std::vector<std::string> endpoints_;
  std::unordered_map<std::string, PeerId> peers_;   // by route
  std::unordered_map<PeerId, std::string> routes_;  // the inverse
  std::unordered_map<PeerId, security::PublicKey> keys_;
  std::map<security::PublicKey, std::uint64_t> unheard_;  // messages of those allowed no more
  std::vector<Listener> listeners_;                       // with CURVE
  std::uint32_t listen_count_{1};                         // sockets at each of their addresses
  int heard_listener_{-1};      // the socket of the address that was bound last
  Parts parts_;                 // the message that is being received, its route first
  std::vector<Parcel> packed_;  // the message that is being sent
  std::map<PeerId, Waiting> waiting_;
  Wait wait_;
  std::vector<PeerId> unreachable_;
  std::uint64_t last_peer_{0};
  HubStats stats_;
};

Hub::Hub(std::unique_ptr<Sockets> sockets) : sockets_(std::move(sockets)) {}
Hub::~Hub() = default;

Result<std::unique_ptr<Hub>, Error> Hub::open(const HubOptions& options, const HubKeys* keys) {
  auto sockets = std::make_unique<Sockets>(options);
  if (keys != nullptr) sockets->set_keys(*keys);
  for (const auto& endpoint : options.bind) {
    if (auto bound = sockets->bind(endpoint); !bound) return fail(bound.error());
  }
  return std::unique_ptr<Hub>(new Hub(std::move(sockets)));
}

const std::vector<std::string>& Hub::endpoints() const { return sockets_->endpoints(); }
std::vector<PeerId> Hub::allow(std::vector<security::PublicKey> keys) {
  return sockets_->allow(std::move(keys));
}
Result<void, std::string> Hub::change_key(const security::KeyPair& broker) {
  return sockets_->change_key(broker);
}
std::optional<Hub::Incoming> Hub::receive() {
  auto incoming = sockets_->receive();
  if (incoming && incoming->message) pass_received(*incoming->message);
  return incoming;
}
void Hub::send(PeerId to, const Message& message) {
  send_between_points(message, [&] { sockets_->send(to, message); });
}
void Hub::forget(PeerId peer) { sockets_->forget(peer); }
void Hub::flush() { sockets_->flush(); }
std::vector<PeerId> Hub::take_unreachable() { return sockets_->take_unreachable(); }
void Hub::wait(std::span<const int> fds, Duration timeout) { sockets_->wait(fds, timeout); }
PayloadStore& Hub::payloads() { return sockets_->payloads(); }
const HubStats& Hub::stats() const { return sockets_->stats(); }

}  // namespace framefleet::transport
