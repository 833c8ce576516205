#pragma once
// Bytes that came from or go to the network, shared by reference and never changed: copying a Frame
// copies no byte. Threads: a frame may be read, copied and destroyed in any thread.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace zmq {
class message_t;
}

namespace framefleet::transport {

class Frame {
 public:
  Frame() = default;
  Frame(const Frame& other) noexcept;
  Frame(Frame&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  Frame& operator=(Frame other) noexcept {
    std::swap(body_, other.body_);
    return *this;
  }
  ~Frame();

  /// Takes the bytes over; few are copied.
  static Frame of(std::string bytes);
  /// Takes over what was received. Few bytes are copied out of the buffer that they share with
  /// their neighbours (kept as they are, one of eight would hold eleven times its bytes).
  static Frame of(zmq::message_t&& message);

  std::span<const std::byte> bytes() const;
  std::string_view text() const;
  std::size_t size() const { return bytes().size(); }

 private:
  friend class Courier;
  struct Body;
  struct Message;

  explicit Frame(Body* body) : body_(body) {}
  static Frame copy_of(const void* bytes, std::size_t size);
  /// To be sent: shares the bytes, but few are copied.
  zmq::message_t message() const;

  Body* body_{nullptr};  // none: no bytes
};

}  // namespace framefleet::transport
