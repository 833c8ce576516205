#include "shared/transport/payload_store.hpp"

#include "shared/base/assert.hpp"

#include <limits>
#include <utility>

namespace framefleet::transport {
namespace {

constexpr unsigned kNumberBits = 32;

std::uint32_t number_of(PayloadId id) { return static_cast<std::uint32_t>(id.value()); }

std::uint64_t bytes_of(std::span<const Frame> frames) {
  std::uint64_t bytes = 0;
  for (const auto& frame : frames) bytes += frame.size();
  return bytes;
}

}  // namespace

PayloadId PayloadStore::id_of(Number number, const Slot& slot) {
  return PayloadId{std::uint64_t{slot.uses} << kNumberBits | number};
}

const PayloadStore::Slot& PayloadStore::slot_at(PayloadId id) const {
  const auto number = number_of(id);
  FRAMEFLEET_ASSERT(number > 0 && number <= slots_.size());
  const auto& slot = slots_[number - 1];
  FRAMEFLEET_ASSERT(id_of(number, slot) == id && !std::holds_alternative<Number>(slot.held));
  return slot;
}

std::span<const Frame> PayloadStore::frames_of(const Slot& slot) {
  if (const auto* const one = std::get_if<Frame>(&slot.held)) return {one, 1};
  return *std::get<std::unique_ptr<const std::vector<Frame>>>(slot.held);
}

Payload PayloadStore::put(std::vector<Frame> frames) {
  if (frames.empty()) return {};
  if (frames.size() == 1) return put(std::move(frames.front()));
  const auto count = static_cast<std::uint8_t>(frames.size());
  const auto bytes = bytes_of(frames);
  bytes_ += bytes;
  return {keep(std::make_unique<const std::vector<Frame>>(std::move(frames))), count, bytes};
}

Payload PayloadStore::put(Frame frame) {
  const std::uint64_t bytes = frame.size();
  bytes_ += bytes;
  return {keep(std::move(frame)), 1, bytes};
}

PayloadId PayloadStore::keep(Held held) {
  auto number = free_;
  if (number == 0) {
    slots_.emplace_back();
    FRAMEFLEET_ASSERT(slots_.size() <= std::numeric_limits<Number>::max());
    number = static_cast<Number>(slots_.size());
  }
  auto& slot = slots_[number - 1];
  free_ = std::get<Number>(slot.held);
  slot.held = std::move(held);
  ++count_;
  return id_of(number, slot);
}

std::span<const Frame> PayloadStore::frames(PayloadId id) const {
  if (!id) return {};
  return frames_of(slot_at(id));
}

void PayloadStore::release(PayloadId id) {
  bytes_ -= bytes_of(frames_of(slot_at(id)));
  --count_;
  const auto number = number_of(id);
  auto& slot = slots_[number - 1];
  slot.held = free_;
  ++slot.uses;
  free_ = number;
}

}  // namespace framefleet::transport
