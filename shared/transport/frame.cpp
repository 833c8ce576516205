#include "shared/transport/frame.hpp"

#include <zmq.hpp>

#include <utility>

namespace framefleet::transport {
namespace {

/// libzmq reads in blocks of 8 KiB; messages below that size are slices of such a block.
constexpr std::size_t kSharedBufferBytes = 8192;

}  // namespace

Frame Frame::of(std::string bytes) {
  // What another thread lets go again is dear: of small ones that is one piece of memory, not
  // three.
  if (bytes.size() < kSharedBufferBytes) {
    return Frame(std::make_shared<zmq::message_t>(bytes.data(), bytes.size()));
  }
  auto owned = std::make_unique<std::string>(std::move(bytes));
  auto message = std::make_shared<zmq::message_t>(
      owned->data(), owned->size(),
      [](void*, void* hint) { delete static_cast<std::string*>(hint); }, owned.get());
  static_cast<void>(owned.release());
  return Frame(std::move(message));
}

std::span<const std::byte> Frame::bytes() const {
  if (!message_) return {};
  return {message_->data<std::byte>(), message_->size()};
}

std::string_view Frame::text() const {
  if (!message_) return {};
  return {message_->data<char>(), message_->size()};
}

Frame Frame::detached() const {
  if (size() >= kSharedBufferBytes) return *this;
  return Frame(std::make_shared<zmq::message_t>(bytes().data(), size()));
}

}  // namespace framefleet::transport
