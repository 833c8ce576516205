#include "shared/transport/channel.hpp"

#include "shared/transport/address.hpp"
#include "shared/transport/courier.hpp"
#include "shared/transport/message_points.hpp"
#include "shared/wire/codec.hpp"

#include <fmt/format.h>

#include <deque>
#include <utility>

namespace framefleet::transport {
namespace {

constexpr std::size_t kPartsMax = 1 + wire::kPayloadFramesMax;
constexpr int kHighWaterMark = 64;
/// For the last words of a socket; nothing rests on their arrival.
constexpr int kGoodbyeLingerMs = 200;

}  // namespace

class Channel::Socket {
 public:
  explicit Socket(ChannelOptions options) : options_(std::move(options)), courier_(payloads_) {}

  /// What libzmq thinks of the address, asked with a socket that is thrown away.
  Result<void, Error> check() {
    auto fault = fault_of_address(options_.connect);
    try {
      zmq::socket_t probe(context_, zmq::socket_type::dealer);
      probe.set(zmq::sockopt::linger, 0);
      if (fault.empty()) probe.connect(options_.connect);
    } catch (const zmq::error_t& error) {
      fault = error.what();
    }
    if (fault.empty()) return {};
    return fail(Error{fmt::format("cannot connect to '{}': {}", options_.connect, fault),
                      exit_code::kConfig});
  }

  void dial() {
    hang_up();
    dealer_.emplace(context_, zmq::socket_type::dealer);
    dealer_->set(zmq::sockopt::linger, 0);
    dealer_->set(zmq::sockopt::sndhwm, kHighWaterMark);
    dealer_->set(zmq::sockopt::rcvhwm, kHighWaterMark);
    dealer_->set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(options_.frame_bytes_max));
    dealer_->set(zmq::sockopt::tcp_keepalive, 1);
    dealer_->set(zmq::sockopt::ipv6, true);
    dealer_->connect(options_.connect);
  }

  void hang_up() {
    if (!dealer_) return;
    if (said_goodbye_) dealer_->set(zmq::sockopt::linger, kGoodbyeLingerMs);
    dealer_.reset();
    waiting_.clear();
    said_goodbye_ = false;
  }

  void send(const Message& message) {
    if (!dealer_) return;
    auto parcels = courier_.pack(message);
    if (!parcels) {
      if (!unsendable_) {
        unsendable_ = Error{"a message cannot travel to the broker: " + parcels.error(),
                            exit_code::kInternal};
      }
      return;
    }
    for (auto& parcel : *parcels) waiting_.push_back(std::move(parcel));
    said_goodbye_ = std::holds_alternative<Goodbye>(message);
    flush();
  }

  std::optional<Incoming> receive() {
    for (int i = 0; dealer_ && i < Courier::kUnknownMax; ++i) {
      auto parcel = Courier::receive(*dealer_, kPartsMax);
      if (!parcel) return std::nullopt;
      auto message = courier_.unpack(std::move(*parcel));
      if (message) return Incoming{std::move(*message), {}};
      if (!message.error().type_unknown) return Incoming{{}, std::move(message.error().text)};
    }
    return std::nullopt;
  }

  void wait(std::span<const int> fds, Duration timeout) {
    wait_for(dealer_ ? &*dealer_ : nullptr, !waiting_.empty(), fds, timeout);
    flush();
  }

  PayloadStore& payloads() { return payloads_; }
  std::optional<Error> take_unsendable() { return std::exchange(unsendable_, std::nullopt); }

 private:
  void flush() {
    while (dealer_ && !waiting_.empty()) {
      if (Courier::send(*dealer_, nullptr, waiting_.front()) != Courier::Sent::yes) return;
      waiting_.pop_front();
    }
  }

  ChannelOptions options_;
  zmq::context_t context_{1};
  std::optional<zmq::socket_t> dealer_;
  PayloadStore payloads_;
  Courier courier_;
  std::deque<Parcel> waiting_;
  bool said_goodbye_{false};  // it was the last thing said
  std::optional<Error> unsendable_;
};

Channel::Channel(std::unique_ptr<Socket> socket) : socket_(std::move(socket)) {}
Channel::~Channel() = default;

Result<std::unique_ptr<Channel>, Error> Channel::open(const ChannelOptions& options) {
  auto socket = std::make_unique<Socket>(options);
  if (auto checked = socket->check(); !checked) return fail(checked.error());
  return std::unique_ptr<Channel>(new Channel(std::move(socket)));
}

void Channel::dial() { socket_->dial(); }
void Channel::hang_up() { socket_->hang_up(); }
void Channel::send(const Message& message) {
  send_between_points(message, [&] { socket_->send(message); });
}
std::optional<Channel::Incoming> Channel::receive() {
  auto incoming = socket_->receive();
  if (incoming && incoming->message) pass_received(*incoming->message);
  return incoming;
}
void Channel::wait(std::span<const int> fds, Duration timeout) { socket_->wait(fds, timeout); }
PayloadStore& Channel::payloads() { return socket_->payloads(); }
std::optional<Error> Channel::take_unsendable() { return socket_->take_unsendable(); }

Result<void, Error> check_sendable(const Message& message) {
  const auto header = wire::encode(message, {});
  if (header) return {};
  return fail(Error{header.error().text, exit_code::kUsage});
}

}  // namespace framefleet::transport
