#include "shared/transport/payload_store.hpp"

#include "shared/base/assert.hpp"

#include <utility>

namespace framefleet::transport {
namespace {

std::uint64_t bytes_of(const std::vector<Frame>& frames) {
  std::uint64_t bytes = 0;
  for (const auto& frame : frames) bytes += frame.size();
  return bytes;
}

}  // namespace

Payload PayloadStore::put(std::vector<Frame> frames) {
  if (frames.empty()) return {};
  const Payload payload{PayloadId{++last_id_}, static_cast<std::uint8_t>(frames.size()),
                        bytes_of(frames)};
  bytes_ += payload.bytes;
  held_.emplace(payload.id, std::move(frames));
  return payload;
}

std::span<const Frame> PayloadStore::frames(PayloadId id) const {
  if (!id) return {};
  const auto position = held_.find(id);
  FRAMEFLEET_ASSERT(position != held_.end());
  return position->second;
}

void PayloadStore::release(PayloadId id) {
  const auto position = held_.find(id);
  FRAMEFLEET_ASSERT(position != held_.end());
  bytes_ -= bytes_of(position->second);
  held_.erase(position);
}

}  // namespace framefleet::transport
