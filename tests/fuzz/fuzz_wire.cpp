// Any header with payload frames of any sizes. What must hold: decode answers a message or an error
// with words; a message encodes again with the same frames, and those bytes decode to an equal one.
//
// Input: a byte n, n sizes of 8 bytes (big-endian, as MessagePack has them), and the header.

#include "tests/fuzz/target.hpp"

#include "shared/base/assert.hpp"
#include "shared/wire/codec.hpp"
#include "shared/wire/limits.hpp"

#include <vector>

using namespace framefleet;

namespace {

constexpr std::size_t kSizeBytes = 8;

/// Takes up to one size more than is allowed off the front of `input`.
std::vector<std::uint64_t> take_frame_bytes(std::span<const std::byte>& input) {
  if (input.empty()) return {};
  const std::size_t wanted =
      std::to_integer<std::size_t>(input.front()) % (wire::kMessageFramesMax + 2);
  input = input.subspan(1);
  std::vector<std::uint64_t> sizes;
  while (sizes.size() < wanted && input.size() >= kSizeBytes) {
    std::uint64_t size = 0;
    for (const std::byte byte : input.first(kSizeBytes)) {
      size = (size << 8U) | std::to_integer<std::uint64_t>(byte);
    }
    sizes.push_back(size);
    input = input.subspan(kSizeBytes);
  }
  return sizes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto header = test::as_input(data, size);
  const auto frame_bytes = take_frame_bytes(header);
  const auto message = wire::decode(header, frame_bytes);
  if (!message) {
    FRAMEFLEET_ASSERT(!message.error().text.empty());
    return 0;
  }
  const auto again = wire::encode(*message, frame_bytes);
  FRAMEFLEET_ASSERT(again.has_value());
  const auto same = wire::decode(std::as_bytes(std::span(*again)), frame_bytes);
  FRAMEFLEET_ASSERT(same.has_value() && *same == *message);
  return 0;
}
