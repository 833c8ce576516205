#pragma once
// The broker's end of the network: one ROUTER socket, every peer a PeerId, messages instead of
// bytes.
//
// Never waits inside send(): what a slow peer cannot take is kept, up to a cap, and the peer counts
// as unreachable beyond it. Threads: one, the loop's. Errors: open() says what to do; a peer's
// nonsense comes out of receive() as text.

#include "shared/base/messages.hpp"
#include "shared/base/result.hpp"
#include "shared/security/keys.hpp"
#include "shared/transport/handshake.hpp"
#include "shared/transport/payload_store.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace framefleet::transport {

struct HubOptions {
  /// "tcp://127.0.0.1:5555" (port 0 or *: any free one), "ipc:///run/framefleet/broker.sock".
  std::vector<std::string> bind;
  /// Largest frame that is read; a peer that sends a larger one is cut off by libzmq, so it must
  /// not be less than the payload of a task that is let in.
  std::uint64_t frame_bytes_max{std::uint64_t{64} << 20U};
  /// Threads that read, write and encrypt; a connection stays with one of them (docs/adr/0039).
  int io_threads{2};
  /// Kept for one peer that reads too slowly: messages, and bytes of them without their payloads
  /// (which count where they are held for it): a few seconds of all that a busy producer is told.
  std::size_t waiting_messages_max{4096};
  std::uint64_t waiting_bytes_max{std::uint64_t{16} << 20U};
  /// Allow tcp addresses that are not loopback although nothing protects them.
  bool insecure{false};
};

/// What tcp addresses are protected with: CURVE by the broker's keys, for the peers' keys alone.
struct HubKeys {
  const security::KeyPair& broker;  ///< Only looked at.
  std::vector<security::PublicKey> allowed;
};

struct HubStats {
  std::uint64_t received{0};
  std::uint64_t sent{0};
  std::uint64_t unreadable{0};     ///< Messages that broke the protocol.
  std::uint64_t unknown_types{0};  ///< Messages of a type that this build does not know.
  std::uint64_t unreachable{0};    ///< Peers found gone while sending.
  std::uint64_t unsendable{0};     ///< Messages of ours that the codec refuses: a bug or a limit.
  /// Connections that did not come about, by HandshakeFault.
  std::array<std::uint64_t, kHandshakeFaultCount> handshakes_failed{};
  std::uint64_t unlisted{0};  ///< Messages of keys that are allowed no more.
  std::uint64_t unproved{
      0};  ///< Messages over tcp that no key is known of: never, if libzmq is right.
};

class Hub {
 public:
  /// Binds every address; with keys, those of tcp take nobody else. Errors: 78 for an address that
  /// is none or not allowed, 69 for one in use.
  static Result<std::unique_ptr<Hub>, Error> open(const HubOptions& options,
                                                  const HubKeys* keys = nullptr);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  /// The addresses as bound, with their real ports.
  const std::vector<std::string>& endpoints() const;

  /// Whom it takes from now on. Answers the peers that are taken no more: nothing that they send
  /// comes out of receive(), and their connection is cut when they go on. Requires: it has keys.
  std::vector<PeerId> allow(std::vector<security::PublicKey> keys);
  /// New connections need this key of the broker's; those that are there go on. After an error
  /// (words) the key before may still count. Requires: it has keys.
  Result<void, std::string> change_key(const security::KeyPair& broker);

  /// Who sent a message, as the kernel or the handshake proves it. Said of each message, because a
  /// peer's route proves nothing about who uses it later.
  struct Sender {
    std::optional<std::uint32_t> user;       ///< Over ipc: the user id of the process.
    bool own_user{false};                    ///< Over ipc, of a process of this user or of root.
    std::optional<security::PublicKey> key;  ///< Over a connection with CURVE: that of the peer.
  };
  struct Incoming {
    PeerId from;
    std::optional<Message> message;  ///< Nothing: the peer broke the protocol, `fault` says how.
    std::string fault;
    Sender sender;
  };
  /// The next message that is here; nothing when there is none, or after 64 of unknown types.
  std::optional<Incoming> receive();
  void send(PeerId to, const Message& message);
  void forget(PeerId peer);
  /// Tries again to send what waits; call once a turn.
  void flush();
  /// Peers that turned out to be gone since the last call.
  std::vector<PeerId> take_unreachable();
  /// Waits for a message, a readable descriptor or the time. Ends earlier when something waits to
  /// be sent.
  void wait(std::span<const int> fds, Duration timeout);

  PayloadStore& payloads();
  const HubStats& stats() const;

 private:
  class Sockets;
  explicit Hub(std::unique_ptr<Sockets> sockets);
  std::unique_ptr<Sockets> sockets_;
};

}  // namespace framefleet::transport
