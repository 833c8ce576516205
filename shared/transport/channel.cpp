#include "shared/transport/channel.hpp"

#include "shared/transport/address.hpp"
#include "shared/transport/courier.hpp"
#include "shared/transport/message_points.hpp"
#include "shared/transport/socket_watch.hpp"
#include "shared/wire/codec.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace framefleet::transport {
namespace {

/// For the last words of a socket; nothing rests on their arrival.
constexpr int kGoodbyeLingerMs = 200;

}  // namespace

class Channel::Socket {
 public:
  explicit Socket(ChannelOptions options) : options_(std::move(options)), courier_(payloads_) {}

  Result<void, Error> check() {
    if (options_.keys.own.empty() != options_.keys.broker.empty()) {
      return fail(
          Error{"keys come in twos: one's own (--key FILE) and the broker's public one "
                "(--broker-key FILE)",
                exit_code::kConfig});
    }
    // Over ipc the kernel says who is who.
    if (options_.connect.starts_with("ipc://")) options_.keys = {};
    if (auto read = read_keys(); !read) return read;
    const auto fault = fault_of_peer_address(options_.connect);
    if (fault.empty()) return {};
    return fail(Error{fmt::format("cannot connect to '{}': {}", options_.connect, fault),
                      exit_code::kConfig});
  }

  void dial() {
    hang_up();
    if (auto read = read_keys(); !read) {  // as they were at the last dial, if they were
      trouble_ = read.error().text;
      if (!own_key_) return;
    }
    keys_untried_ = broker_keys_.size();
    open_socket();
  }

  void hang_up() {
    if (!dealer_) return;
    if (said_goodbye_) dealer_->set(zmq::sockopt::linger, kGoodbyeLingerMs);
    watch_.reset();
    dealer_.reset();
    waiting_.clear();
    said_goodbye_ = false;
  }

  void send(const Message& message) {
    if (!dealer_) return;
    if (auto packed = courier_.pack(message, packed_); !packed) {
      packed_.clear();
      if (!unsendable_) {
        unsendable_ =
            Error{"a message cannot travel to the broker: " + packed.error(), exit_code::kInternal};
      }
      return;
    }
    for (auto& parcel : packed_) waiting_.push_back(std::move(parcel));
    packed_.clear();
    said_goodbye_ = std::holds_alternative<Goodbye>(message);
    flush();
  }

  std::optional<Incoming> receive() {
    for (int i = 0; dealer_ && i < Courier::kUnknownMax; ++i) {
      if (!Courier::receive(*dealer_, Courier::kPartsMax, parts_)) return std::nullopt;
      auto message = courier_.unpack(parts_);
      if (message) return Incoming{std::move(*message), {}};
      if (!message.error().type_unknown) return Incoming{{}, std::move(message.error().text)};
    }
    return std::nullopt;
  }

  void wait(std::span<const int> fds, Duration timeout) {
    bool is_to_be_looked_at = false;
    if (dealer_) {
      is_to_be_looked_at = !watch_->is_quiet();
      if (is_to_be_looked_at) timeout = Duration::zero();
      wait_.add(*dealer_, !waiting_.empty());
      wait_.add_quiet(watch_->socket());
    }
    wait_.run(fds, timeout);
    if (dealer_ && (is_to_be_looked_at || wait_.heard(watch_->socket()))) look_at_connection();
    flush();
  }

  const std::string& trouble() const { return trouble_; }

  PayloadStore& payloads() { return payloads_; }
  std::optional<Error> take_unsendable() { return std::exchange(unsendable_, std::nullopt); }

 private:
  bool has_keys() const { return !options_.keys.own.empty(); }

  Result<void, Error> read_keys() {
    if (!has_keys()) return {};
    auto own = security::read_key_file(options_.keys.own);
    if (!own) return fail(std::move(own.error()));
    auto broker = security::read_public_keys(options_.keys.broker);
    if (!broker) return fail(std::move(broker.error()));
    own_key_ = std::move(*own);
    if (broker_keys_ != *broker) {
      broker_keys_ = *std::move(broker);
      broker_key_ = 0;
    }
    return {};
  }

  void open_socket() {
    dealer_.emplace(context_, zmq::socket_type::dealer);
    dealer_->set(zmq::sockopt::linger, 0);
    dealer_->set(zmq::sockopt::sndhwm, Courier::kHighWaterMark);
    dealer_->set(zmq::sockopt::rcvhwm, Courier::kHighWaterMark);
    dealer_->set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(options_.frame_bytes_max));
    dealer_->set(zmq::sockopt::tcp_keepalive, 1);
    dealer_->set(zmq::sockopt::ipv6, true);
    if (has_keys()) {
      const auto secret = own_key_->secret_key.bytes();
      dealer_->set(zmq::sockopt::curve_publickey, zmq::buffer(own_key_->public_key.bytes()));
      dealer_->set(zmq::sockopt::curve_secretkey, zmq::buffer(secret.data(), secret.size()));
      dealer_->set(zmq::sockopt::curve_serverkey, zmq::buffer(broker_keys_[broker_key_].bytes()));
      // What is said before the handshake waits here, for the key of the broker that counts.
      dealer_->set(zmq::sockopt::immediate, true);
    }
    watch_.emplace(context_, *dealer_, SocketWatch::kOfDialler);
    try {
      dealer_->connect(options_.connect);
    } catch (const zmq::error_t& error) {
      trouble_ = fmt::format("cannot connect to '{}': {}", options_.connect, error.what());
    }
  }

  void look_at_connection() {
    using Kind = SocketWatch::Event::Kind;
    for (int i = 0; dealer_ && i < SocketWatch::kBatchMax; ++i) {
      const auto event = watch_->next();
      if (!event) return;
      if (event->kind == Kind::succeeded) trouble_.clear();
      if (event->kind == Kind::failed) take_failure(event->fault);
    }
  }

  void take_failure(HandshakeFault fault) {
    // A broker that cannot read us says nothing: it just ends the connection.
    if (fault != HandshakeFault::incomplete || keys_untried_ < 2) {
      if (auto text = text_of(fault); !text.empty()) trouble_ = std::move(text);
      return;
    }
    --keys_untried_;
    broker_key_ = (broker_key_ + 1) % broker_keys_.size();
    watch_.reset();
    dealer_.reset();
    open_socket();
  }

  std::string text_of(HandshakeFault fault) const {
    switch (fault) {
      case HandshakeFault::mechanism:
        return has_keys() ? fmt::format(
                                "the broker at {} has no keys, and ours are given: start it "
                                "with --keys, or leave out --key and --broker-key",
                                options_.connect)
                          : fmt::format("the broker at {} wants a key: give --key and --broker-key",
                                        options_.connect);
      case HandshakeFault::unlisted:
        return fmt::format(
            "the broker at {} does not know the key of {}, whose public half is "
            "'{}': have it allowed there (framefleet keys allow)",
            options_.connect, options_.keys.own.string(),
            own_key_ ? own_key_->public_key.text() : std::string());
      case HandshakeFault::incomplete:
        if (!has_keys()) break;
        return fmt::format("the broker at {} ends the handshake: is its public key in {}?",
                           options_.connect, options_.keys.broker.string());
      case HandshakeFault::wrong_broker_key:
      case HandshakeFault::protocol:
        return fmt::format("what answers at {} is no broker, or has another key than {} says",
                           options_.connect, options_.keys.broker.string());
    }
    return {};
  }

  void flush() {
    while (dealer_ && !waiting_.empty()) {
      if (Courier::send(*dealer_, nullptr, waiting_.front()) != Courier::Sent::yes) return;
      waiting_.pop_front();
    }
  }

  ChannelOptions options_;
  zmq::context_t context_{1};
  std::optional<security::KeyPair> own_key_;
  std::vector<security::PublicKey> broker_keys_;
  std::size_t broker_key_{0};    // the one that is tried, or worked last
  std::size_t keys_untried_{0};  // since the last dial, with the one that is being tried
  std::optional<zmq::socket_t> dealer_;
  std::optional<SocketWatch> watch_;  // of dealer_
  PayloadStore payloads_;
  Courier courier_;
  Parts parts_;                 // the message that is being received
  std::vector<Parcel> packed_;  // the message that is being sent
  std::deque<Parcel> waiting_;
  Wait wait_;
  bool said_goodbye_{false};  // it was the last thing said
  std::optional<Error> unsendable_;
  std::string trouble_;
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
const std::string& Channel::trouble() const { return socket_->trouble(); }
std::optional<Error> Channel::take_unsendable() { return socket_->take_unsendable(); }

Result<void, Error> check_sendable(const Message& message) {
  const auto header = wire::encode(message, {});
  if (header) return {};
  return fail(Error{header.error().text, exit_code::kUsage});
}

}  // namespace framefleet::transport
