#pragma once
// A peer's end of the network: one DEALER socket to the broker, opened anew at each dial(),
// messages instead of bytes. Threads: one, the loop's. Errors: open() says what to do; nonsense
// from the broker comes out of receive() as text.

#include "shared/base/effects.hpp"
#include "shared/base/result.hpp"
#include "shared/security/keys.hpp"
#include "shared/transport/payload_store.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>

namespace framefleet::transport {

struct ChannelOptions {
  /// "tcp://HOST:PORT" or "ipc:///PATH".
  std::string connect;
  /// Largest frame that is read: the largest payload_bytes_max that a broker can be told. The
  /// broker is trusted; what it sends is what it was willing to take.
  std::uint64_t frame_bytes_max{std::uint64_t{1} << 30U};
  /// Read anew at each dial, so that a rotation needs no restart. Over ipc they are not needed.
  security::KeyFiles keys{};
};

class Channel {
 public:
  /// Checks the address and the keys (78); the network is not touched before dial().
  static Result<std::unique_ptr<Channel>, Error> open(const ChannelOptions& options);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Closes the socket if there is one and opens a new one.
  void dial();
  /// Closes the socket. What was not sent is dropped, but for a goodbye that gets a moment.
  void hang_up();
  /// Never waits; what the socket cannot take is kept and sent in order.
  void send(const Message& message);

  struct Incoming {
    std::optional<Message> message;  ///< Nothing: the broker broke the protocol, `fault` says how.
    std::string fault;
  };
  std::optional<Incoming> receive();
  /// Waits for a message, a readable descriptor or the time; sends what waits as soon as it can.
  void wait(std::span<const int> fds, Duration timeout);

  PayloadStore& payloads();
  /// Which message of ours the codec refused first since the last call, and why (70): it was
  /// dropped, so whoever waits for its answer would wait for ever. Ask once a turn and end with it.
  std::optional<Error> take_unsendable();
  /// Why the broker cannot be talked to, for people, with what to do; "": it can, or nobody knows
  /// why not. What its silence alone does not tell: keys and their files.
  const std::string& trouble() const;

 private:
  class Socket;
  explicit Channel(std::unique_ptr<Socket> socket);
  std::unique_ptr<Socket> socket_;
};

/// Whether a message that carries no payload can travel; 64 with what the codec says if not. For
/// what the command line puts into messages, before the network is touched.
Result<void, Error> check_sendable(const Message& message);

/// Performs the effects that all cores have in common; false for any other. `channel`: a Channel,
/// or what is used as one.
template <class Connection, class Effect>
bool perform_common(Connection& channel, const Effect& effect) {
  if (std::holds_alternative<Dial>(effect)) {
    channel.dial();
  } else if (std::holds_alternative<HangUp>(effect)) {
    channel.hang_up();
  } else if (const auto* send = std::get_if<Send>(&effect)) {
    channel.send(send->message);
  } else if (const auto* release = std::get_if<ReleasePayload>(&effect)) {
    channel.payloads().release(release->payload);
  } else {
    return false;
  }
  return true;
}

}  // namespace framefleet::transport
