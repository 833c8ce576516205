#pragma once
// Bytes that came from or go to the network, shared by reference and never changed: copying a Frame
// copies no byte. Threads: a frame may be read, copied and destroyed in any thread.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace zmq {
class message_t;
}

namespace framefleet::transport {

class Frame {
 public:
  Frame() = default;
  explicit Frame(std::shared_ptr<zmq::message_t> message) : message_(std::move(message)) {}
  /// Takes the bytes over; few are copied.
  static Frame of(std::string bytes);

  std::span<const std::byte> bytes() const;
  std::string_view text() const;
  std::size_t size() const { return bytes().size(); }

  /// A frame that can be kept: small ones are copied out of the receive buffer that they share with
  /// their neighbours (kept as they are, one of eight would hold eleven times its bytes).
  Frame detached() const;

 private:
  friend class Courier;
  std::shared_ptr<zmq::message_t> message_;
};

}  // namespace framefleet::transport
