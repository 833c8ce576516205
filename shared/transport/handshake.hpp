#pragma once
// Why two ends that want to talk never came to it, in words that metrics and people share.
// Plain values. Threads: any.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace framefleet::transport {

enum class HandshakeFault : std::uint8_t {
  mechanism,         ///< One end has keys and the other has none.
  wrong_broker_key,  ///< The peer takes the broker for somebody with another key.
  unlisted,          ///< The peer's key is not in the allow-list.
  protocol,          ///< What came is not what a sound peer sends.
  incomplete,        ///< It was cut, or took too long.
};
inline constexpr std::size_t kHandshakeFaultCount = 5;
std::string_view to_string(HandshakeFault fault);

}  // namespace framefleet::transport
