#include "shared/transport/frame.hpp"

#include <zmq.hpp>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace framefleet::transport {
namespace {

/// libzmq reads in blocks of 8 KiB; messages below that size are slices of such a block.
constexpr std::size_t kSharedBufferBytes = 8192;
/// Up to here a copy costs less than what libzmq needs to share bytes.
constexpr std::size_t kCopiedMax = 512;
/// In the place of a size: the bytes are a message's.
constexpr std::uint32_t kInMessage = ~std::uint32_t{0};

}  // namespace

/// Few bytes stand right behind it, in the same piece of memory: of a million that wait each piece
/// more would be felt. Others are a message of libzmq's, which sends them without a copy.
struct Frame::Body {
  std::atomic<std::uint32_t> frames{1};  ///< That share it.
  std::uint32_t size{0};                 ///< Of the bytes behind it, or kInMessage.
  char* behind() { return reinterpret_cast<char*>(this + 1); }
};

struct Frame::Message : Frame::Body {
  explicit Message(zmq::message_t&& taken) : message(std::move(taken)) { size = kInMessage; }
  zmq::message_t message;
};

Frame::Frame(const Frame& other) noexcept : body_(other.body_) {
  if (body_ != nullptr) body_->frames.fetch_add(1, std::memory_order_relaxed);
}

Frame::~Frame() {
  if (body_ == nullptr || body_->frames.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  if (body_->size == kInMessage) {
    delete static_cast<Message*>(body_);
  } else {
    std::destroy_at(body_);
    ::operator delete(body_);
  }
}

Frame Frame::of(std::string bytes) {
  if (bytes.size() < kSharedBufferBytes) return copy_of(bytes.data(), bytes.size());
  auto owned = std::make_unique<std::string>(std::move(bytes));
  zmq::message_t message(
      owned->data(), owned->size(),
      [](void*, void* hint) { delete static_cast<std::string*>(hint); }, owned.get());
  static_cast<void>(owned.release());
  return Frame(new Message(std::move(message)));
}

Frame Frame::of(zmq::message_t&& message) {
  if (message.size() < kSharedBufferBytes) return copy_of(message.data(), message.size());
  return Frame(new Message(std::move(message)));
}

Frame Frame::copy_of(const void* bytes, std::size_t size) {
  if (size == 0) return {};
  auto* const body = new (::operator new(sizeof(Body) + size)) Body;
  body->size = static_cast<std::uint32_t>(size);
  std::memcpy(body->behind(), bytes, size);
  return Frame(body);
}

std::span<const std::byte> Frame::bytes() const {
  if (body_ == nullptr) return {};
  if (body_->size != kInMessage) return std::as_bytes(std::span(body_->behind(), body_->size));
  const auto& message = static_cast<Message*>(body_)->message;
  return {message.data<std::byte>(), message.size()};
}

std::string_view Frame::text() const {
  const auto view = bytes();
  return {reinterpret_cast<const char*>(view.data()), view.size()};
}

zmq::message_t Frame::message() const {
  if (body_ == nullptr) return {};
  if (body_->size == kInMessage) {
    zmq::message_t sent;
    sent.copy(static_cast<Message*>(body_)->message);
    return sent;
  }
  if (body_->size <= kCopiedMax) return {body_->behind(), body_->size};
  Frame kept = *this;
  return {body_->behind(), body_->size,
          [](void*, void* body) { static_cast<void>(Frame(static_cast<Body*>(body))); },
          std::exchange(kept.body_, nullptr)};
}

}  // namespace framefleet::transport
