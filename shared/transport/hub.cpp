#include "shared/transport/hub.hpp"

#include "shared/transport/address.hpp"
#include "shared/transport/courier.hpp"
#include "shared/transport/message_points.hpp"
#include "shared/wire/limits.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <unordered_map>
#include <utility>

namespace framefleet::transport {
namespace {

/// Route, header, payload frames.
constexpr std::size_t kPartsMax = 2 + wire::kPayloadFramesMax;
/// Messages in one peer's pipe: what is more waits here, where it is counted.
constexpr int kHighWaterMark = 64;
/// A peer that has not finished its handshake by then is dropped (libzmq's own 30 s let a few
/// hundred idle connects block the listener).
constexpr int kHandshakeMs = 2000;
/// How often what waits for slow peers is tried again: a ROUTER cannot be polled for one peer.
constexpr Duration kRetryInterval = std::chrono::milliseconds{10};

bool is_loopback(const std::string& endpoint) {
  return endpoint.starts_with("tcp://127.") || endpoint.starts_with("tcp://localhost:") ||
         endpoint.starts_with("tcp://[::1]:");
}

Result<void, Error> check_address(const std::string& endpoint, bool insecure) {
  if (const auto fault = fault_of_address(endpoint); !fault.empty()) {
    return fail(
        Error{fmt::format("'{}' is no address to bind: {}", endpoint, fault), exit_code::kConfig});
  }
  if (endpoint.starts_with("ipc://")) return {};
  if (insecure || is_loopback(endpoint)) return {};
  return fail(Error{fmt::format("'{}' is not a loopback address, and connections are not encrypted "
                                "or authenticated yet: bind tcp://127.0.0.1 or ipc://, or give "
                                "--insecure if the network is yours alone",
                                endpoint),
                    exit_code::kConfig});
}

/// Whether a socket at this path has somebody who accepts connections.
bool is_served(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return false;
  const auto* generic = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  // EAGAIN: it is there and has too many connections waiting.
  const bool served = ::connect(probe, generic, sizeof address) == 0 || errno == EAGAIN;
  ::close(probe);
  return served;
}

/// libzmq removes whatever has the path of an ipc address before it binds: a second broker would
/// take the address from the first one without a word, and a file would be lost. Only a dead socket
/// may go.
Result<void, Error> check_path(const std::string& endpoint) {
  constexpr std::string_view kScheme = "ipc://";
  if (!endpoint.starts_with(kScheme)) return {};
  const std::string path = endpoint.substr(kScheme.size());
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode)) {
    return fail(
        Error{fmt::format("cannot bind {}: {} is there and is no socket; choose another path",
                          endpoint, path),
              exit_code::kUnavailable});
  }
  if (!is_served(path)) return {};
  return fail(
      Error{fmt::format("cannot bind {}: Address already in use (is another broker running? "
                        "choose another address)",
                        endpoint),
            exit_code::kUnavailable});
}

/// libzmq resolves no names for addresses that it binds.
std::string bindable(const std::string& endpoint) {
  constexpr std::string_view kLocal = "tcp://localhost:";
  if (!endpoint.starts_with(kLocal)) return endpoint;
  return "tcp://127.0.0.1:" + endpoint.substr(kLocal.size());
}

/// With IPv6 on, libzmq spells an IPv4 address as [::ffff:127.0.0.1], which nobody would type and
/// which check_address() does not know as loopback.
std::string plain(const std::string& endpoint) {
  constexpr std::string_view kMapped = "tcp://[::ffff:";
  const auto close = endpoint.find(']');
  if (!endpoint.starts_with(kMapped) || close == std::string::npos) return endpoint;
  return "tcp://" + endpoint.substr(kMapped.size(), close - kMapped.size()) +
         endpoint.substr(close + 1);
}

}  // namespace

class Hub::Sockets {
 public:
  explicit Sockets(const HubOptions& options)
      : options_(options), router_(context_, zmq::socket_type::router), courier_(payloads_) {
    router_.set(zmq::sockopt::linger, 0);
    router_.set(zmq::sockopt::router_mandatory, true);
    router_.set(zmq::sockopt::sndhwm, kHighWaterMark);
    router_.set(zmq::sockopt::rcvhwm, kHighWaterMark);
    router_.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(options.frame_bytes_max));
    router_.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
    router_.set(zmq::sockopt::tcp_keepalive, 1);
    router_.set(zmq::sockopt::ipv6, true);
  }

  Result<void, Error> bind(const std::string& endpoint) {
    if (auto allowed = check_address(endpoint, options_.insecure); !allowed) return allowed;
    if (auto free = check_path(endpoint); !free) return free;
    try {
      router_.bind(bindable(endpoint));
    } catch (const zmq::error_t& error) {
      return fail(Error{fmt::format("cannot bind {}: {}{}", endpoint, error.what(),
                                    error.num() == EADDRINUSE
                                        ? " (is another broker running? choose another address)"
                                        : ""),
                        error.num() == EINVAL ? exit_code::kConfig : exit_code::kUnavailable});
    }
    endpoints_.push_back(plain(router_.get(zmq::sockopt::last_endpoint)));
    return {};
  }

  std::optional<Incoming> receive() {
    for (int i = 0; i < Courier::kUnknownMax; ++i) {
      auto parcel = Courier::receive(router_, kPartsMax);
      if (!parcel) return std::nullopt;
      ++stats_.received;
      const std::string route(parcel->front().text());
      const bool own_user = Courier::is_own_user(*parcel);
      parcel->erase(parcel->begin());
      auto message = courier_.unpack(std::move(*parcel));
      if (!message && message.error().type_unknown) {
        ++stats_.unknown_types;
        continue;  // The core never hears of it, so nobody would forget its route.
      }
      Incoming incoming;
      incoming.from = peer_of(route);
      incoming.own_user = own_user;
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
    auto parcels = courier_.pack(message);
    if (!parcels) {
      ++stats_.unsendable;
      unreachable_.push_back(to);  // it will dial anew and ask; nothing is lost in silence
      return;
    }
    const auto route = routes_.find(to);
    if (route == routes_.end()) return;
    auto& waiting = waiting_[to];
    for (auto& parcel : *parcels) waiting.push_back(std::move(parcel));
    send_waiting(to, route->second, waiting);
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
    waiting_.erase(peer);
  }

  void flush() {
    for (auto& [peer, waiting] : waiting_) {
      if (!waiting.empty()) send_waiting(peer, routes_.at(peer), waiting);
    }
    std::erase_if(waiting_, [](const auto& entry) { return entry.second.empty(); });
  }

  void wait(std::span<const int> fds, Duration timeout) {
    const bool something_waits = std::any_of(
        waiting_.begin(), waiting_.end(), [](const auto& entry) { return !entry.second.empty(); });
    if (!unreachable_.empty()) timeout = Duration::zero();
    if (something_waits && (timeout < Duration::zero() || timeout > kRetryInterval)) {
      timeout = kRetryInterval;
    }
    wait_for(&router_, false, fds, timeout);
  }

  std::vector<PeerId> take_unreachable() { return std::exchange(unreachable_, {}); }
  const std::vector<std::string>& endpoints() const { return endpoints_; }
  PayloadStore& payloads() { return payloads_; }
  const HubStats& stats() const { return stats_; }

 private:
  PeerId peer_of(const std::string& route) {
    const auto [position, is_new] = peers_.try_emplace(route);
    if (is_new) {
      position->second = PeerId{++last_peer_};
      routes_.emplace(position->second, route);
    }
    return position->second;
  }

  void send_waiting(PeerId peer, const std::string& route, std::deque<Parcel>& waiting) {
    while (!waiting.empty()) {
      switch (Courier::send(router_, &route, waiting.front())) {
        case Courier::Sent::yes:
          ++stats_.sent;
          waiting.pop_front();
          continue;
        case Courier::Sent::would_block:
          if (waiting.size() <= options_.waiting_messages_max) return;
          break;
        case Courier::Sent::unreachable:
          break;
      }
      ++stats_.unreachable;
      waiting.clear();
      unreachable_.push_back(peer);
      return;
    }
  }

  HubOptions options_;
  zmq::context_t context_{1};
  zmq::socket_t router_;
  PayloadStore payloads_;
  Courier courier_;
  std::vector<std::string> endpoints_;
  std::unordered_map<std::string, PeerId> peers_;   // by route
  std::unordered_map<PeerId, std::string> routes_;  // the inverse
  std::map<PeerId, std::deque<Parcel>> waiting_;
  std::vector<PeerId> unreachable_;
  std::uint64_t last_peer_{0};
  HubStats stats_;
};

Hub::Hub(std::unique_ptr<Sockets> sockets) : sockets_(std::move(sockets)) {}
Hub::~Hub() = default;

Result<std::unique_ptr<Hub>, Error> Hub::open(const HubOptions& options) {
  auto sockets = std::make_unique<Sockets>(options);
  for (const auto& endpoint : options.bind) {
    if (auto bound = sockets->bind(endpoint); !bound) return fail(bound.error());
  }
  return std::unique_ptr<Hub>(new Hub(std::move(sockets)));
}

const std::vector<std::string>& Hub::endpoints() const { return sockets_->endpoints(); }
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
